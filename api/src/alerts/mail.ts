// Mails alarms to the operator over the same mail server as everything else.

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
    // loaded and connected only when there is something to say: alarms are rare, memory is not
    const { createTransport } = (await import('nodemailer')).default;
    const timeouts = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 };
    const transport = createTransport(smtpUrl, timeouts as object);
    try {
      await transport.sendMail({ from, to, subject, text });
    } finally {
      transport.close();
    }
  };
}
