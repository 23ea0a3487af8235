// What must be set before somebody waits for a mail about a site.
import { AppError, type Issue } from '../../ground/lib/app-error.ts';
import type { Site } from '../../ground/site.ts';
import type { MailFacts } from '../sites/settings.ts';

/**
 * Mail that nobody sends, or that doesn't say who writes and where they are, must not be waited for.
 * throws  conflict, saying what to set
 */
export function needsMail(site: Site, { missing, sender }: MailFacts): void {
  const own = (name: string) => typeof site.settings[name] === 'string';
  const issues: Issue[] = [
    ...(missing.length > 0
      ? [{ path: 'SMTP_URL', message: `set ${missing.join(', ')} and start again` }]
      : []),
    ...(own('senderAddress') || sender
      ? []
      : [
          {
            path: 'settings.senderAddress',
            message: 'the postal address of who writes, in one line (or set MAIL_SENDER)',
          },
        ]),
  ];
  if (issues.length > 0)
    throw new AppError(
      'conflict',
      `No mail can leave yet: ${issues.map(({ message }) => message).join('; ')}.`,
      {
        issues,
      },
    );
}
