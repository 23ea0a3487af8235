// The page that shows a person what is held about them, and the forms by which they change it. No script: plain forms.
import { type Html, html } from '../../ground/http/html.ts';
import type { Language } from '../../ground/words/language.ts';
import type { YourDataWords } from '../../ground/words/your-data-en.ts';
import type { Counted, Overview } from './overview.ts';

export interface Shown {
  words: YourDataWords;
  language: Language;
  timeZone: string;
  /** Path of the link, for the forms. */
  at: string;
  contact: string | null;
}

const locale = (language: Language) => (language === 'fr' ? 'fr-CA' : 'en-CA');
type When = Pick<Shown, 'language' | 'timeZone'>;

export const dayOf = ({ language, timeZone }: When, at: Date | string): string =>
  new Intl.DateTimeFormat(locale(language), { dateStyle: 'long', timeZone }).format(new Date(at));
export const timeOf = ({ language, timeZone }: When, at: Date | string): string =>
  new Intl.DateTimeFormat(locale(language), { dateStyle: 'long', timeStyle: 'short', timeZone }).format(
    new Date(at),
  );

/** The decimals as they are kept. */
const moneyOf = ({ language }: When, amount: string, currency: string): string =>
  new Intl.NumberFormat(locale(language), { style: 'currency', currency, currencyDisplay: 'code' }).format(
    amount as Intl.StringNumericLiteral,
  );

/** Where a form of the page goes, in the page's language. */
export const formAt = ({ at, language }: Pick<Shown, 'at' | 'language'>, verb = ''): string =>
  `${at}${verb && `/${verb}`}?lang=${language}`;

/** What was just done, before everything else. */
export type Notice = { says: string; isWrong?: boolean } | null;

const facts = (pairs: readonly (readonly [string, string | number | null | undefined | false])[]): Html =>
  html`<dl>${pairs.map(([name, value]) => value !== null && value !== undefined && value !== false && html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;

const rest = ({ words }: Shown, { rows, count }: Counted<unknown>) =>
  count > rows.length && html`<p>${words.more(count - rows.length)}</p>`;

export function overviewPage(shown: Shown, overview: Overview, expiresAt: Date, notice: Notice): Html {
  const { words, contact } = shown;
  return html`${notice && html`<p class="${notice.isWrong ? 'notice wrong' : 'notice'}" role="status">${notice.says}</p>`}<p class="soft">${words.worksUntil(timeOf(shown, expiresAt))}</p>
${contactSection(shown, overview)}${consentSection(shown, overview)}${sentSection(shown, overview)}${displaySection(shown, overview)}${visitSection(shown, overview)}${boughtSection(shown, overview)}${requestSection(shown, overview)}
<h2>${words.take}</h2><p>${words.takeHow}</p><form method="post" action="${formAt(shown, 'download')}"><button>${words.download}</button></form>
<h2>${words.delete}</h2><p>${words.deleteHow}</p><form method="post" action="${formAt(shown, 'delete')}"><button class="quiet">${words.deleteAll}</button></form>
${contact && html`<p class="soft">${words.somethingElse(contact)}</p>`}${languageSwitch(shown, shown.at)}`;
}

/** The same page in the other language. */
export function languageSwitch({ words, language }: Pick<Shown, 'words' | 'language'>, path: string): Html {
  const other = language === 'fr' ? 'en' : 'fr';
  return html`<p><a href="${path}${path.includes('?') ? '&' : '?'}lang=${other}" hreflang="${other}" lang="${other}">${words.otherLanguage}</a></p>`;
}

function contactSection(shown: Shown, { contact, heldBack }: Overview): Html {
  const { words } = shown;
  const held = heldBack > 0 && html`<p>${words.heldBack}: ${heldBack}</p>`;
  if (!contact) return html`<h2>${words.contact}</h2><p>${words.noLead}</p>${held}`;
  return html`<h2>${words.contact}</h2>${facts([
    [words.address, contact.email],
    [words.name, contact.name],
    ...contact.attributes,
    [words.since, dayOf(shown, contact.firstCapturedAt)],
    [words.verified, contact.verifiedAt && dayOf(shown, contact.verifiedAt)],
    [words.imported, contact.importedAt && dayOf(shown, contact.importedAt)],
    [words.first, contact.firstPath],
  ])}${contact.restricted && html`<p>${words.restricted}</p>`}${held}
<h3>${words.correct}</h3>
<form method="post" action="${formAt(shown, 'name')}"><label for="name">${words.name}</label><input id="name" name="name" type="text" autocomplete="name" maxlength="200" required value="${contact.name ?? ''}"><button>${words.correctName}</button></form>
<form method="post" action="${formAt(shown, 'address')}"><label for="email">${words.newAddress}</label><input id="email" name="email" type="email" autocomplete="email" maxlength="320" required aria-describedby="email-how"><p id="email-how" class="soft">${words.newAddressHow}</p><button>${words.correctAddress}</button></form>`;
}

const LIVE = new Set(['pending', 'implied', 'express']);

const purposeIn = (words: YourDataWords, purpose: string) =>
  purpose === 'all' ? words.all : (words.purpose[purpose] ?? purpose);

function consentSection(shown: Shown, { consents, history }: Overview): Html {
  const { words } = shown;
  if (consents.length === 0) return html`<h2>${words.agreed}</h2><p>${words.nothingAgreed}</p>`;
  const live = consents.filter(({ status }) => LIVE.has(status));
  return html`<h2>${words.agreed}</h2>${consents.map(
    ({ purpose, status, since, expiresAt, words: text }) =>
      html`<p><strong>${purposeIn(words, purpose)}</strong>: ${words.status[status]}${since && html`, ${words.sinceDay(dayOf(shown, since))}`}${status === 'implied' && expiresAt && html`, ${words.untilDay(dayOf(shown, expiresAt))}`}</p>${text && html`<details><summary>${words.words}</summary><blockquote>${text}</blockquote></details>`}`,
  )}<details><summary>${words.history}</summary><ul>${history.map(({ action, purpose, at }) => html`<li>${timeOf(shown, at)}: ${words.action[action as keyof YourDataWords['action']]} (${purposeIn(words, purpose)})</li>`)}</ul></details>
${live.length > 0 && html`<form method="post" action="${formAt(shown, 'withdraw')}"><fieldset><legend>${words.withdrawThese}</legend>${live.map(({ purpose }) => choice('purposes', purpose, purposeIn(words, purpose)))}${choice('everything', 'yes', words.everything)}</fieldset><button>${words.withdraw}</button></form>`}`;
}

const choice = (name: string, value: string, label: string) =>
  html`<label class="choice"><input type="checkbox" name="${name}" value="${value}"> <span>${label}</span></label>`;

function sentSection(shown: Shown, { submissions }: Overview): Html {
  const { words } = shown;
  if (submissions.count === 0) return html`<h2>${words.sent}</h2><p>${words.nothingSent}</p>`;
  return html`<h2>${words.sent}</h2>${submissions.rows.map(
    ({ at, form, path, answers }) =>
      html`<h3>${timeOf(shown, at)}</h3>${facts([[words.form, [form, path].filter(Boolean).join(', ')], ...(answers ?? [])])}${answers === null && html`<p class="soft">${words.answersGone}</p>`}`,
  )}${rest(shown, submissions)}`;
}

/** What of them may be shown to others, and the button that ends it. */
function displaySection(shown: Shown, { shown: { isNamed, reviews, held, isAny } }: Overview): Html | false {
  const { words } = shown;
  if (!isAny && reviews.count === 0) return false;
  return html`<h2>${words.shown}</h2><p>${isNamed ? words.named : words.notNamed}</p>${reviews.rows.map(
    ({ at, text, rating, product, status, permission }) =>
      html`<h3>${words.reviewOf(dayOf(shown, at))}</h3>${facts([
        [words.reviewText, text],
        [words.rating, rating !== null && words.ofFive(rating)],
        [words.reviewAbout, product],
        [words.mayBeShown, words.may[permission === 'granted' ? status : permission]],
      ])}`,
  )}${rest(shown, reviews)}${held > 0 && html`<p>${words.heldToShow}: ${held}</p>`}${
    isAny &&
    html`<p>${words.takeBackHow}</p><form method="post" action="${formAt(shown, 'display')}"><button>${words.takeBack}</button></form>`
  }`;
}

function visitSection(shown: Shown, { visits, contact }: Overview): Html {
  const { words } = shown;
  const isTied = visits.browsers > 0;
  const none = contact?.noProfiling ? words.objected : words.notTied;
  return html`<h2>${words.visits}</h2>${
    isTied
      ? facts([
          [words.pages, visits.pages],
          [words.visitCount, visits.visits],
          [words.browsers, visits.browsers],
          [
            words.between,
            visits.from && visits.to && `${dayOf(shown, visits.from)} – ${dayOf(shown, visits.to)}`,
          ],
        ])
      : html`<p>${none}</p>`
  }${contact && !contact.noProfiling && html`<p>${words.objectHow}</p><form method="post" action="${formAt(shown, 'object')}"><button>${words.object}</button></form>`}`;
}

function boughtSection(shown: Shown, { conversions }: Overview): Html | false {
  const { words } = shown;
  if (conversions.count === 0) return false;
  return html`<h2>${words.bought}</h2><ul>${conversions.rows.map(
    ({ kind, at, amount, currency }) =>
      html`<li>${dayOf(shown, at)}: ${words.conversion[kind as keyof YourDataWords['conversion']] ?? kind}${amount !== null && html`, ${moneyOf(shown, amount, currency!)}`}</li>`,
  )}</ul>${rest(shown, conversions)}`;
}

function requestSection(shown: Shown, { requests }: Overview): Html {
  const { words } = shown;
  return html`<h2>${words.requests}</h2>${
    requests.count === 0
      ? html`<p>${words.noRequests}</p>`
      : html`<ul>${requests.rows.map(
          ({ kind, receivedAt, dueAt, outcome }) =>
            html`<li>${dayOf(shown, receivedAt)}: ${words.requestKind[kind as keyof YourDataWords['requestKind']]} (${outcome ? words.outcome[outcome] : words.open(dayOf(shown, dueAt))})</li>`,
        )}</ul>${rest(shown, requests)}`
  }`;
}

/** Before everything is deleted: what goes, what stays, and why. */
export function surePage(shown: Shown, periods: Record<string, number>): Html {
  const { words } = shown;
  const stays = words.staysList(
    periods.consentRecordYears!,
    periods.answeredRequestMonths!,
    periods.auditLogYears!,
    periods.backupDays!,
  );
  const list = (lines: string[]) => html`<ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
  return html`<h2>${words.goes}</h2>${list(words.goesList)}<h2>${words.stays}</h2>${list(stays)}<p>${words.otherTools}</p>
<form method="post" action="${formAt(shown, 'delete')}"><input type="hidden" name="sure" value="yes"><button class="danger">${words.yesDelete}</button></form><p><a href="${formAt(shown)}">${words.back}</a></p>`;
}
