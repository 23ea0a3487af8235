// The words beside a box as the law wants them: who asks, where they are, how to reach them, and that it can be taken back. Pure.
import type { Issue } from '../../ground/lib/app-error.ts';
import { type Sender, senderLine } from '../sites/sender.ts';

const PLACE = '{sender}';

/** What says, in English or French, that consent can be withdrawn. */
const WITHDRAWAL =
  /withdraw|unsubscribe|opt[- ]?out|revoke|(?:stop|cancel|end|change my mind|leave)\b.{0,40}\b(?:any ?time|whenever)|(?:any ?time|whenever)\b.{0,40}\b(?:stop|cancel|end|leave)|retirer|r[ée]voquer|d[ée]sabonn|d[ée]sinscri|(?:arr[êe]ter|annuler|mettre fin)\b.{0,40}\b(?:tout (?:temps|moment)|quand)|(?:tout (?:temps|moment)|quand)\b.{0,60}\b(?:arr[êe]ter|annuler)/iu;

/** {sender} becomes name, postal address and contact; the words as they must be shown. */
export const composeWords = (words: string, sender: Sender): string =>
  words.replaceAll(PLACE, senderLine(sender));

const plain = (text: string) => text.toLowerCase().replace(/\s+/g, ' ');

/**
 * What a lawyer would miss in these words (CASL, section 10 and the regulations under it).
 * words  as they are shown, {sender} filled in
 */
export function missingInWords(words: string, sender: Sender): Issue[] {
  const holds = (text: string) => plain(words).includes(plain(text));
  const missing: Issue[] = [];
  const note = (path: string, message: string) => missing.push({ path, message });
  const hint = `write ${PLACE}, which is filled in from the site's settings`;
  if (!holds(sender.name)) note('words', `do not say who asks (${sender.name}): ${hint}`);
  if (sender.address === null)
    note('settings.senderAddress', 'is not set: consent must be asked for with a postal address');
  else if (!holds(sender.address)) note('words', `do not give the postal address of who asks: ${hint}`);
  if (sender.contact === null)
    note(
      'settings.senderContact',
      'is not set: a telephone number, an email address or a web page to reach who asks',
    );
  else if (!holds(sender.contact)) note('words', `do not say how to reach who asks: ${hint}`);
  if (!WITHDRAWAL.test(words)) note('words', 'do not say that consent can be withdrawn');
  return missing;
}
