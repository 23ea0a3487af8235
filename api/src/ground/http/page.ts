// Small pages for people: thank-you, mistakes, unsubscribe. No script, no tracking, nothing from elsewhere.
import { createHash } from 'node:crypto';
import { wordsOf } from '../words/words.ts';
import type { Call } from './call.ts';
import { type Html, html } from './html.ts';
import { Reply } from './reply.ts';

const CSS = `:root{color-scheme:light dark;--ink:#1d2733;--paper:#fff;--soft:#5b6673;--act:#0b57d0;--on-act:#fff;--wrong:#b3261e}
@media (prefers-color-scheme:dark){:root{--ink:#e8edf2;--paper:#14191f;--soft:#a9b4c0;--act:#8ab4f8;--on-act:#0b1a33;--wrong:#f2b8b5}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:1.0625rem/1.55 system-ui,sans-serif}
main{max-width:34rem;margin:0 auto;padding:12vh 1.25rem 4rem}h1{font-size:1.7rem;line-height:1.25;margin:0 0 .75rem}
p{margin:0 0 1rem}.soft{color:var(--soft)}.wrong{color:var(--wrong)}label{display:block;font-weight:600;margin:1.25rem 0 .35rem}
input[type=email]{width:100%;font:inherit;padding:.7rem .8rem;border:1px solid var(--soft);border-radius:.4rem;background:transparent;color:inherit}
button{font:inherit;font-weight:600;margin-top:1.25rem;padding:.7rem 1.4rem;border:0;border-radius:.4rem;background:var(--act);color:var(--on-act);cursor:pointer}
footer{max-width:34rem;margin:0 auto;padding:0 1.25rem 2rem;font-size:.95rem}h2{font-size:1.15rem;margin:1.75rem 0 .35rem}ul{margin:0 0 1rem;padding-left:1.2rem}
a{color:var(--act)}:focus-visible{outline:3px solid var(--act);outline-offset:3px}`;
const CSS_HASH = createHash('sha256').update(CSS).digest('base64');

/** Whose page it is: its language, and the notice it leads to. */
export type Reader = Pick<Call, 'language' | 'noticeOf'>;

export const noticePath = ({ language, noticeOf }: Reader): string =>
  `/v1/privacy?lang=${language}${noticeOf ? `&propertyId=${encodeURIComponent(noticeOf)}` : ''}`;

/**
 * formTargets  origins that a form on the page may end up at, beside our own (browsers check redirects too)
 */
export function page(
  reader: Reader,
  status: number,
  title: string,
  body: Html,
  { formTargets = [], isNotice = false }: { formTargets?: string[]; isNotice?: boolean } = {},
): Reply {
  const foot =
    !isNotice &&
    html`<footer><a href="${noticePath(reader)}">${wordsOf(reader.language).privacyLink}</a></footer>`;
  const whole = html`<!doctype html><html lang="${reader.language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title><style>@</style></head><body><main><h1>${title}</h1>${body}</main>${foot}</body></html>`;
  return new Reply(
    status,
    String(whole).replace('<style>@</style>', () => `<style>${CSS}</style>`),
    {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Language': reader.language,
      'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${CSS_HASH}'; form-action 'self' ${formTargets.join(' ')}; base-uri 'none'; frame-ancestors 'none'`,
      'Cache-Control': 'no-store',
      'X-Robots-Tag': 'noindex',
    },
  );
}
