// The words of the first mail of a double opt-in: the site's own and ours, never anything a visitor typed.
import type { Site } from '../../ground/site.ts';
import { languageOf, readLanguage } from '../../ground/words/language.ts';
import { wordsOf } from '../../ground/words/words.ts';
import { linkToken, unsubscribeUrl } from '../consent/link.ts';
import { senderOf } from '../sites/sender.ts';
import { baseOf, lettered } from './letter.ts';
import type { MailSettings } from './mail.ts';

/** language  of the consent; else the site's is spoken, else English */
export function confirmationMail(
  site: Site,
  due: { token: string; unsubscribeKey: string; language: string | null },
  settings: MailSettings,
) {
  const language = readLanguage(due.language) ?? languageOf(site.settings) ?? 'en';
  const words = wordsOf(language);
  const { name } = senderOf(site, settings.senderDefaults);
  const oneClick = unsubscribeUrl(baseOf(settings), site.siteId, due.unsubscribeKey);
  const { headers, ...mail } = lettered(site, language, settings, {
    says: words.mailAsks(name),
    button: words.mailButton,
    link: `${baseOf(settings)}/v1/confirm/${linkToken(site.siteId, due.token)}?lang=${language}`,
    otherwise: words.mailElse,
    links: [{ words: words.unsubscribe, url: `${oneClick}?lang=${language}` }],
  });
  return {
    subject: words.mailSubject(name),
    ...mail,
    headers: {
      ...headers,
      'List-Unsubscribe': `<${oneClick}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    },
  };
}
