// The connection to a mail server. The library is loaded only where there is something to send: alarms are rare and
// most installations have no double opt-in, and its 650 KB of source would lie in memory all the time.
import type { Transporter } from 'nodemailer';
import type SMTPTransport from 'nodemailer/lib/smtp-transport';

/** Long enough for a slow server; a server that falls silent must not keep the next alarm waiting. */
const PATIENCE = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 };

/** smtpUrl  smtp://… or smtps://user:password@host:465 */
export async function makeTransport(smtpUrl: string, patience = PATIENCE): Promise<Transporter> {
  const { createTransport } = (await import('nodemailer')).default;
  // in one object: a second argument holds what is the same in every message
  return createTransport({ url: smtpUrl, ...patience } as SMTPTransport.Options);
}
