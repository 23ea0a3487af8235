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
input[type=email],input[type=text]{width:100%;font:inherit;padding:.7rem .8rem;border:1px solid var(--soft);border-radius:.4rem;background:transparent;color:inherit}
button{font:inherit;font-weight:600;margin-top:1.25rem;padding:.7rem 1.4rem;border:0;border-radius:.4rem;background:var(--act);color:var(--on-act);cursor:pointer}
footer{max-width:34rem;margin:0 auto;padding:0 1.25rem 2rem;font-size:.95rem}h2{font-size:1.15rem;margin:1.75rem 0 .35rem}ul{margin:0 0 1rem;padding-left:1.2rem}
form+*{margin-top:1rem}h3{font-size:1rem;margin:1.25rem 0 .35rem}dl{margin:0 0 1rem}dt{font-size:.9rem;color:var(--soft)}dd{margin:0 0 .5rem}dd,blockquote,li,h1,p{overflow-wrap:anywhere}
blockquote{margin:.35rem 0 1rem;padding-left:.9rem;border-left:3px solid var(--soft);white-space:pre-wrap}summary{cursor:pointer;padding:.2rem 0}fieldset{border:1px solid var(--soft);border-radius:.4rem;margin:1.25rem 0 0;padding:.5rem 1rem .9rem}
legend{font-weight:600;padding:0 .35rem}.choice{display:flex;gap:.6rem;align-items:flex-start;font-weight:400;margin:.6rem 0 0}.choice input{width:1.15rem;height:1.15rem;margin:.25rem 0 0;flex:none}
.quiet{background:transparent;color:var(--wrong);border:1px solid var(--wrong)}.danger{background:var(--wrong);color:var(--paper)}.notice{border-left:4px solid var(--act);padding:.5rem .9rem}.notice.wrong{border-color:var(--wrong)}
a{color:var(--act)}:focus-visible{outline:3px solid var(--act);outline-offset:3px}`;
const CSS_HASH = createHash('sha256').update(CSS).digest('base64');

/** Whose page it is: its language, and the notice it leads to. */
export type Reader = Pick<Call, 'language' | 'noticeOf'>;

export const noticePath = ({ language, noticeOf }: Reader): string =>
  `/v1/privacy?lang=${language}${noticeOf ? `&propertyId=${encodeURIComponent(noticeOf)}` : ''}`;

/** Where people ask for a link to their own data. */
export const yourDataPath = ({ language, noticeOf }: Reader): string =>
  `/v1/your-data?lang=${language}${noticeOf ? `&propertyId=${encodeURIComponent(noticeOf)}` : ''}`;

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
