// What every route behind a mailed link shares, and how its acts are entered into the register of requests.
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { answered } from '../requests/register.ts';
import type { RequestKind } from '../requests/schema.ts';
import type { Opened, OpenNeeds } from './opened.ts';

/** By which way it was asked for, as the register and the ledger say it. */
export const HOW = 'by the person, on the page of their own data';

export const LINK = { tag: 'your data', who: 'anyone', isSubjects: true, tells: 'link' } as const;
export const FORM = { as: ['form', 'json'], bytesMax: 4096, optional: true } as const;
export const PAGES = {
  200: { says: 'The page', type: 'text/html' },
  400: { says: 'What was sent cannot be taken; the page says why', type: 'text/html' },
  404: { says: 'This link works no more', type: 'text/html' },
} as const;

/** What was asked is done: the open request of this kind, or an entry of its own. */
export function register({ db }: OpenNeeds, call: Call, one: Opened, kind: RequestKind): Promise<string> {
  const { siteId } = one.site;
  return inSites(db, siteId, (tx) =>
    answered(tx, {
      siteId,
      kind,
      emailHash: one.person.hash,
      receivedAt: call.receivedAt.toISOString(),
      how: HOW,
    }),
  );
}
