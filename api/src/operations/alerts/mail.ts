// Mails alarms to the operator over the same mail server as everything else.
import { makeTransport } from '../../product/mails/transport.ts';

export interface AlarmMail {
  /** smtp://… or smtps://user:password@host:465 */
  smtpUrl: string;
  from: string;
  to: string;
}

/** returns  what sends one mail; it rejects when the server does not take it */
export function alarmMailer({
  smtpUrl,
  from,
  to,
}: AlarmMail): (subject: string, text: string) => Promise<void> {
  return async (subject, text) => {
    const transport = await makeTransport(smtpUrl);
    try {
      await transport.sendMail({ from, to, subject, text });
    } finally {
      transport.close();
    }
  };
}
