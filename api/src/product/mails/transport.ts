// The connection to a mail server. The library is loaded only where there is something to send: alarms are rare and
// most installations have no double opt-in, and its 650 KB of source would lie in memory all the time.
import type { Transporter } from 'nodemailer';

/** smtpUrl  smtp://… or smtps://user:password@host:465 */
export async function makeTransport(smtpUrl: string): Promise<Transporter> {
  const { createTransport } = (await import('nodemailer')).default;
  const timeouts = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 };
  return createTransport(smtpUrl, timeouts as object);
}
