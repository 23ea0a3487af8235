// The page of a receipt, for people: what was said, in their language and in every other, and how it is known.
import type { Call } from '../../ground/http/call.ts';
import { html } from '../../ground/http/html.ts';
import { page } from '../../ground/http/page.ts';
import type { Reply } from '../../ground/http/reply.ts';
import type { Site } from '../../ground/site.ts';
import type { Notification } from '../notifications/at-work.ts';
import { isOfDays } from './claims.ts';
import { receiptWords } from './receipt-words.ts';
import { type Shown, sayWording } from './receipts.ts';
import { bestLanguage } from './words.ts';

const day = (at: string) => at.replace('T', ' ').replace(/:\d\d\.\d+Z$/, ' UTC');

interface One {
  language: string;
  text: string;
}

/** Every wording; of a number with the number in it, of an act as its card filled it. */
function allWordings({ kind }: Notification, { wordings, claim, value }: Shown['receipt']): One[] {
  const all = wordings.flatMap(({ texts }) =>
    Object.entries(texts).flatMap(([language, forms]) => {
      const text = sayWording({ kind, claim }, texts, value, language);
      return (text === null ? Object.values(forms) : [text]).map((one) => ({ language, text: one }));
    }),
  );
  return [...new Map(all.map((one) => [`${one.language} ${one.text}`, one])).values()];
}

/** The first wording in the reader's language; of an act the rule, since no receipt holds a name. */
function toldTo(call: Call, { kind }: Notification, { wordings, claim, value, text }: Shown['receipt']): One {
  const { texts } = wordings[0]!;
  const [wanted] = call.header('accept-language').split(/[,;]/, 1);
  const language = bestLanguage(Object.keys(texts), wanted?.trim() || undefined, call.language)!;
  const told = sayWording({ kind, claim }, texts, value, language);
  return told === null ? { language: 'en', text } : { language, text: told };
}

export function receiptPage(
  call: Call,
  { receipt, status, now, site, then }: Shown & { site: Site | undefined; then: Notification },
): Reply {
  const words = receiptWords(call.language);
  const row = (name: string, value: string | number | null | undefined) =>
    value !== null && value !== undefined && html`<dt>${name}</dt><dd>${value}</dd>`;
  const told = toldTo(call, then, receipt);
  const others = allWordings(then, receipt).filter(({ text }) => text !== told.text);
  const { window, excluded, source } = receipt;
  const left = excluded ? words.left(excluded) : isOfDays(then) ? words.leftUncounted : null;
  return page(
    call,
    200,
    words.title,
    html`<blockquote lang="${told.language}">${told.text}</blockquote><p>${words.status[status]}</p><dl>${row(words.by, site?.name || site?.key)}${row(words.basis, words.bases[receipt.basis])}${row(words.rule, receipt.rule)}${row(words.value, receipt.value)}${window && row(words.window, `${day(window.from)} – ${day(window.to)}`)}${row(words.minimum, receipt.minimum)}${row(words.excluded, left)}${row(words.asOf, day(receipt.asOf))}${now && row(words.now, now.value)}${source && html`<dt>${words.source}</dt><dd><a href="${source.url}" rel="noopener nofollow">${source.url}</a> (${source.statedOn})</dd>`}${others.length > 0 && html`<dt>${words.wordings}</dt>${others.map(({ language, text }) => html`<dd lang="${language}">${text}</dd>`)}`}</dl><p class="soft">${words.signed(receipt.keyId)} <a href="/v1/proof/${call.params.receiptRef!}">${words.data}</a></p>`,
  );
}
