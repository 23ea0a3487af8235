// GET and POST /v1/your-data: whoever asks gets the same answer; a link goes to the address, if anything is held about it.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { propertyId } from '../../ground/http/fields.ts';
import { type Html, html } from '../../ground/http/html.ts';
import { page, yourDataPath } from '../../ground/http/page.ts';
import type { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { readAddress } from '../../ground/lib/email.ts';
import { atTick } from '../../ground/lib/tick.ts';
import { yourDataWords } from '../../ground/words/words.ts';
import { askedBy } from '../consent/asked-by.ts';
import type { Mailing } from '../mails/mail.ts';
import { hearLink, spokenTo } from '../sites/language.ts';
import { type SenderDefaults, senderOf } from '../sites/sender.ts';
import { askForLink, LINK_MINUTES } from './links.ts';
import { languageSwitch } from './page.ts';

export interface AskNeeds {
  db: Pool;
  hashAddress: (siteId: string, normalized: string) => string;
  /** null: no mail server is set, and nobody gets a link. */
  mailing: Mailing | null;
  senderDefaults: SenderDefaults;
}

const ASK = { at: 'POST /v1/your-data', tells: 'form' } as const;
const SHOW = { at: 'GET /v1/your-data', tells: 'link' } as const;
export const askTells = [SHOW, ASK];

const lang = spokenTo.shape.lang;
const BODY_BYTES_MAX = 4096;

export function askRoutes(needs: AskNeeds): Route[] {
  const common = { tag: 'your data', who: 'anyone', of: 'page' } as const;
  return [
    route({
      ...common,
      ...SHOW,
      id: 'showYourData',
      says: 'The page on which a person asks for a link to their own data; without a mail server whom to write to',
      takes: { as: 'query', shape: z.object({ propertyId: propertyId.optional(), lang }) },
      answers: { 200: { says: 'The page', type: 'text/html' } },
      run(query, call) {
        hearLink(call, query.lang);
        return askPage(needs, call, 200);
      },
    }),
    route({
      ...common,
      ...ASK,
      id: 'askYourData',
      says: 'Mails that link, if anything is held about the address; the answer does not tell',
      bucket: 'delete',
      takes: {
        as: ['json', 'form'],
        bytesMax: BODY_BYTES_MAX,
        shape: z
          .object({ email: z.string().max(1000).default(''), propertyId: propertyId.optional(), lang })
          .meta({ id: 'YourDataRequest' }),
      },
      answers: {
        200: z.object({}).describe('Taken; a form gets a page that says so'),
        400: { says: 'What was typed is no address; a form gets its page again', type: 'text/html' },
        503: {
          says: 'No mail server is set; a form gets a page that says whom to write to',
          type: 'text/html',
        },
      },
      async run({ email, lang: spoken }, call) {
        hearLink(call, spoken);
        return ask(needs, call, email);
      },
    }),
  ];
}

async function ask(needs: AskNeeds, call: Call, typed: string): Promise<object | Reply> {
  const isPage = call.isForm && !call.readsJson;
  const { site } = call;
  if (!needs.mailing) {
    if (isPage) return askPage(needs, call, 503);
    const { contact } = senderOf(site, needs.senderDefaults);
    throw new AppError(
      'unavailable',
      `This site mails no links. Write to ${contact ?? 'its owner'} from the address in question.`,
    );
  }
  const address = readAddress(typed);
  if (!address) {
    if (isPage) return askPage(needs, call, 400, typed);
    throw new AppError('invalid_request', 'This is not an email address.', {
      issues: [{ path: 'email', message: 'an address such as ada@example.com' }],
    });
  }
  const { normalized } = address;
  await inSites(needs.db, site.siteId, (tx) =>
    askForLink(tx, {
      siteId: site.siteId,
      kind: 'look',
      normalized,
      mailTo: null,
      hash: needs.hashAddress(site.siteId, normalized),
      askedBy: askedBy(call).ip_hash,
      language: call.language,
    }),
  );
  await atTick(call.began); // known or not: the same words after the same time
  if (!isPage) return {};
  const words = yourDataWords(call.language);
  return page(
    call,
    200,
    words.asked,
    html`<p>${words.onItsWay(LINK_MINUTES)}</p><p class="soft">${words.noneCame}</p>`,
  );
}

/** typed  what could be no address */
function askPage({ mailing, senderDefaults }: AskNeeds, call: Call, status: number, typed?: string): Reply {
  const words = yourDataWords(call.language);
  const { name } = senderOf(call.site, senderDefaults);
  const other = languageSwitch(
    { words, language: call.language },
    `/v1/your-data?propertyId=${encodeURIComponent(call.site.key)}`,
  );
  const how = mailing ? askForm(call, typed) : contactWords(call, senderDefaults);
  return page(call, status, words.title, html`<p>${words.what(name)}</p>${how}${other}`);
}

/** How to reach the operator, where no link can be mailed. */
export function contactWords(call: Call, senderDefaults: SenderDefaults): Html {
  const words = yourDataWords(call.language);
  const { contact } = senderOf(call.site, senderDefaults);
  return html`<p>${words.noMail} ${contact ? words.writeTo(contact) : words.askOwner}</p>`;
}

function askForm(call: Call, typed: string | undefined): Html {
  const words = yourDataWords(call.language);
  const isWrong = typed !== undefined;
  return html`<p>${words.why}</p><form method="post" action="${yourDataPath(call)}"><input type="hidden" name="propertyId" value="${call.site.key}"><input type="hidden" name="lang" value="${call.language}"><label for="email">${words.yourAddress}</label><input id="email" name="email" type="email" autocomplete="email" maxlength="320" required value="${typed ?? ''}"${isWrong && html` aria-invalid="true" aria-describedby="email-wrong"`}>${isWrong && html`<p id="email-wrong" class="wrong" role="alert">${words.notAnAddress}</p>`}<button>${words.sendLink}</button></form>`;
}
