// Deletion by the person: a page that says what goes and what stays, and the erasure itself, the same as an administrator's.
import { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import { html } from '../../ground/http/html.ts';
import { page, yourDataPath } from '../../ground/http/page.ts';
import type { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { type EraseNeeds, eraseAt } from '../erasure/erase.ts';
import { FORM, HOW, LINK, PAGES } from './link-route.ts';
import { lostPage, type Opened, type OpenNeeds, opened, shownOf } from './opened.ts';
import { dayOf, surePage, timeOf } from './page.ts';

export interface DeleteNeeds extends OpenNeeds, EraseNeeds {
  /** How long what is kept, of all features, by the names they are told by. */
  periods: Record<string, number>;
}

export function deleteRoutes(needs: DeleteNeeds): Route[] {
  return [
    route({
      ...LINK,
      at: 'POST /v1/your-data/:token/delete',
      id: 'eraseHeldData',
      says: 'Asks once more, saying what goes and what stays; with sure=yes forgets everything, with a certificate',
      bucket: 'delete',
      takes: { ...FORM, shape: z.object({ sure: z.string().max(20).optional() }) },
      answers: PAGES,
      async run({ sure }, call) {
        const one = await opened(needs, call);
        if (!one) return lostPage(call);
        return sure === 'yes' ? erase(needs, call, one) : askOnceMore(needs, call, one);
      },
    }),
  ];
}

function askOnceMore(needs: DeleteNeeds, call: Call, { site }: Opened): Reply {
  const shown = shownOf(needs, call, site);
  return page(call, 200, shown.words.sure, surePage(shown, needs.periods));
}

async function erase(needs: DeleteNeeds, call: Call, { site, person }: Opened): Promise<Reply> {
  const shown = shownOf(needs, call, site);
  const { words } = shown;
  const done = await eraseAt(needs, site.siteId, person.normalized, call.receivedAt, HOW);
  if (!done) return page(call, 200, words.deleted, html`<p>${words.nothingThere}</p>`);
  call.note({ target: done.erasureId, details: { erased: done.erased } });
  return page(
    call,
    200,
    words.deleted,
    html`<p>${words.certificate(done.erasureId, timeOf(shown, done.erasedAt))}</p><p>${words.backupsUntil(dayOf(shown, done.backupsUntil))}</p><p>${words.otherTools}</p><p><a href="${yourDataPath(call)}">${words.title}</a></p>`,
  );
}
