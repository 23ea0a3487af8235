// What every mail of ours to a person looks like: why it came, one button, what to do otherwise, who writes.
import { html } from '../../ground/http/html.ts';
import { noticePath } from '../../ground/http/page.ts';
import type { Site } from '../../ground/site.ts';
import type { Language } from '../../ground/words/language.ts';
import { wordsOf } from '../../ground/words/words.ts';
import { senderLine, senderOf } from '../sites/sender.ts';
import type { MailSettings } from './mail.ts';

export interface Letter {
  says: string;
  button: string;
  /** Where the button leads. */
  link: string;
  /** What who did not ask for it should do. */
  otherwise: string;
  /** In its foot, before the notice. */
  links?: { words: string; url: string }[];
}

export const baseOf = ({ publicUrl }: Pick<MailSettings, 'publicUrl'>) =>
  (publicUrl ?? '').replace(/\/$/, '');

/** As plain text and as HTML, in one language. */
export function lettered(
  site: Site,
  language: Language,
  settings: MailSettings,
  { says, button, link, otherwise, links = [] }: Letter,
): { text: string; html: string; headers: Record<string, string> } {
  const footer = senderLine(senderOf(site, settings.senderDefaults));
  const notice = {
    words: wordsOf(language).privacyLink,
    url: `${baseOf(settings)}${noticePath({ language, noticeOf: site.key })}`,
  };
  const foot = [...links, notice];
  const page = html`<!doctype html><html lang="${language}"><body style="font:16px/1.5 sans-serif;color:#1d2733"><p>${says}</p><p><a href="${link}" style="display:inline-block;padding:12px 20px;background:#0b57d0;color:#fff;border-radius:6px;text-decoration:none">${button}</a></p><p>${otherwise}</p><hr><p style="color:#5b6673;font-size:14px">${footer}<br>${foot.map(({ words, url }, n) => html`${n > 0 && ' · '}<a href="${url}">${words}</a>`)}</p></body></html>`;
  return {
    text: `${says}\n\n${link}\n\n${otherwise}\n\n--\n${footer}\n${foot.map(({ words, url }) => `${words}: ${url}\n`).join('')}`,
    html: String(page),
    headers: { 'Content-Language': language },
  };
}
