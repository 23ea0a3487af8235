// The words of the first mail of a double opt-in: the site's own and ours, never anything a visitor typed.
import { html } from '../../ground/http/html.ts';
import { noticePath } from '../../ground/http/page.ts';
import type { Site } from '../../ground/site.ts';
import { languageOf, readLanguage } from '../../ground/words/language.ts';
import { wordsOf } from '../../ground/words/words.ts';
import { linkToken, unsubscribeUrl } from '../consent/link.ts';
import { senderLine, senderOf } from '../sites/sender.ts';
import type { MailSettings } from './mail.ts';

/** language  of the consent; else the site's is spoken, else English */
export function confirmationMail(
  site: Site,
  due: { token: string; unsubscribeKey: string; language: string | null },
  settings: MailSettings,
) {
  const base = (settings.publicUrl ?? '').replace(/\/$/, '');
  const language = readLanguage(due.language) ?? languageOf(site.settings) ?? 'en';
  const words = wordsOf(language);
  const sender = senderOf(site, settings.senderDefaults);
  const footer = senderLine(sender);
  const confirm = `${base}/v1/confirm/${linkToken(site.siteId, due.token)}?lang=${language}`;
  const oneClick = unsubscribeUrl(base, site.siteId, due.unsubscribeKey);
  const leave = `${oneClick}?lang=${language}`;
  const notice = `${base}${noticePath({ language, noticeOf: site.key })}`;
  const text = `${words.mailAsks(sender.name)}\n\n${confirm}\n\n${words.mailElse}\n\n--\n${footer}\n${words.unsubscribe}: ${leave}\n${words.privacyLink}: ${notice}\n`;
  const page = html`<!doctype html><html lang="${language}"><body style="font:16px/1.5 sans-serif;color:#1d2733"><p>${words.mailAsks(sender.name)}</p><p><a href="${confirm}" style="display:inline-block;padding:12px 20px;background:#0b57d0;color:#fff;border-radius:6px;text-decoration:none">${words.mailButton}</a></p><p>${words.mailElse}</p><hr><p style="color:#5b6673;font-size:14px">${footer}<br><a href="${leave}">${words.unsubscribe}</a> · <a href="${notice}">${words.privacyLink}</a></p></body></html>`;
  return {
    subject: words.mailSubject(sender.name),
    text,
    html: String(page),
    headers: {
      'Content-Language': language,
      'List-Unsubscribe': `<${oneClick}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    },
  };
}
