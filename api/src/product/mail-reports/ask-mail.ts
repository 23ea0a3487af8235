// The mail that asks whether somebody wants reports and warnings about a site: the site's words and ours, nothing else.
import type { Site } from '../../ground/site.ts';
import { linkToken } from '../consent/link.ts';
import { baseOf, lettered } from '../mails/letter.ts';
import type { MailSettings } from '../mails/mail.ts';
import { senderOf } from '../sites/sender.ts';
import type { Asked } from './recipients.ts';
import { reportWords } from './words.ts';

export function askMail(site: Site, { language, link_key }: Asked, settings: MailSettings) {
  const w = reportWords[language];
  const { name } = senderOf(site, settings.senderDefaults);
  const link = `${baseOf(settings)}/v1/report-mails/${linkToken(site.siteId, link_key)}`;
  const { headers, ...mail } = lettered(site, language, settings, {
    says: w.asks(name),
    button: w.askButton,
    link: `${link}?lang=${language}`,
    otherwise: w.askElse,
    links: [{ words: w.leave, url: `${link}/leave?lang=${language}` }],
  });
  return {
    subject: w.askSubject(name),
    ...mail,
    headers: {
      ...headers,
      'Auto-Submitted': 'auto-generated',
      'List-Unsubscribe': `<${link}/leave>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    },
  };
}
