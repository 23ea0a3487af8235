// What is told from outside the API: a trial of the ways out (an alarm that is none, a mail that says nothing else), and the
// word of the watchdog that it leaves something to a person.
import type { Config } from '../../config.ts';
import { makeTransport } from '../../product/mails/transport.ts';
import { sendNotice } from './send.ts';
import type { Notice } from './tell.ts';
import { alertSettings } from './watch.ts';

/** returns  what became of it on each way, in words; empty when none is set up */
type Told = Promise<{ to: string; ok: boolean; message: string }[]>;

export const tryAlarm = (config: Config): Told =>
  tell(config, {
    kind: 'trial',
    id: 'trial',
    severity: 'warning',
    message: 'This is a trial of the alarms; nothing is wrong',
  });

/** what  the words of the watchdog: which change was cut off, and that it could not be taken back */
export const tellCutOff = (config: Config, what: string): Told =>
  tell(config, { kind: 'alarm', id: 'change_cut', severity: 'critical', message: what });

async function tell(config: Config, notice: Omit<Notice, 'since'>): Told {
  const { recipients } = alertSettings(config);
  const sent = await sendNotice({ ...notice, since: new Date().toISOString() }, recipients);
  return sent.map(({ to, ok, message }) => ({ to, ok, message: ok ? 'sent' : (message ?? 'it failed') }));
}

const WORDS: Record<string, string> = {
  EAUTH: 'the mail server does not take the user or the password of SMTP_URL',
  EDNS: 'the name of the mail server is not known',
  ECONNECTION: 'the mail server does not answer as one; are host and port of SMTP_URL right?',
  ESOCKET: 'the mail server cannot be reached, or speaks otherwise than SMTP_URL says (smtp:// or smtps://)',
  ETIMEDOUT: 'the mail server does not answer',
  ETLS: 'no encrypted connection to the mail server could be made',
  EENVELOPE: 'the mail server refuses the sender or the recipient',
};

/**
 * Sends one mail as the product's own are sent.
 * returns  what the server answered
 * throws   an Error that says what is not set up, or what the server said
 */
export async function tryMail(config: Config, to: string): Promise<string> {
  if (!config.SMTP_URL)
    throw new Error('No mail server is set up: keep its URL with scripts/secret SMTP_URL.');
  if (!config.MAIL_FROM) throw new Error('No sender is set up: scripts/set MAIL_FROM you@example.com');
  const transport = await makeTransport(config.SMTP_URL);
  try {
    const { response } = await transport.sendMail({
      from: config.MAIL_FROM,
      to,
      subject: 'A trial of the mail server',
      text: 'This mail is a trial: the mail server that the marketing backend was given works.\n',
    });
    return response ?? 'taken';
  } catch (error) {
    const { code = '', message } = error as Error & { code?: string };
    throw new Error(WORDS[code] ? `${WORDS[code]} (${message})` : message);
  } finally {
    transport.close();
  }
}
