// Says a refusal as a page where a person looks at the answer: at our own links, and after a plain form.
import type { Context } from 'koa';
import type { AppError } from '../lib/app-error.ts';
import { wordsOf } from '../words/words.ts';
import type { Call } from './call.ts';
import type { TellPerson } from './errors.ts';
import { send } from './frame.ts';
import { framedAt } from './framed-at.ts';
import { html } from './html.ts';
import { page } from './page.ts';
import { Reply } from './reply.ts';
import type { Route } from './route.ts';

/**
 * Who asks for HTML is told by a page, whatever route and whoever refuses: the frame, the route, or the house that still
 * starts. So is who sent a plain form or opened a link, unless JSON is asked for.
 */
export function refusalPages(
  routeAt: (method: string, path: string) => Pick<Route, 'tells'> | null,
): TellPerson {
  return (ctx, call, status, error) => {
    const tells = (call.route ?? routeAt(ctx.method, ctx.path))?.tells;
    // a broken picture would stay as long as its page is open
    const isPictured = tells === 'picture' && call.header('accept').includes('image/');
    if (isPictured && !call.readsPages) {
      send(ctx, emptyPicture(status));
      return true;
    }
    const isTold =
      call.readsPages ||
      (tells && tells !== 'picture' && !call.readsJson && (tells !== 'form' || isFormPost(ctx)));
    if (!isTold) return false;
    if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds));
    if (tells === 'frame') {
      send(ctx, emptyFrame(status, addressOf(ctx, call)));
      return true;
    }
    const as = tells === 'picture' ? undefined : tells;
    send(ctx, refusalPage(as ?? (isFormPost(ctx) ? 'form' : 'other'), call, status, error));
    return true;
  };
}

/** The same as Caddy's own where the API is away (a test compares). */
export const FRAME_AGAIN_SECONDS = 30;
const PATH_CHARS_MAX = 2048;

/** A frame that shows a fault would show it for as long as the page around it is open. */
function emptyFrame(status: number, address: string): Reply {
  // not without a body: browsers would put a page of their own there, which stays
  return new Reply(status, '<!doctype html><title>—</title>', {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': "default-src 'none'",
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Cache-Control': 'no-store',
    'X-Robots-Tag': 'noindex',
    Refresh: `${FRAME_AGAIN_SECONDS}${address}`,
  });
}

/** Loaded anew it comes from itself: on which page it stands is said in its address from here on, where that was known. */
function addressOf(ctx: Context, call: Call): string {
  const query = new URLSearchParams(ctx.querystring);
  const path = query.has('path') ? null : framedAt(call, ctx.path);
  if (path === null || path.length > PATH_CHARS_MAX) return '';
  query.set('path', path);
  return `; url=${ctx.path}?${query}`;
}

const emptyPicture = (status: number): Reply =>
  new Reply(status, '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>', {
    'Content-Type': 'image/svg+xml; charset=utf-8',
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Cache-Control': 'no-store',
  });

const isFormPost = (ctx: Context) =>
  Boolean(ctx.is('application/x-www-form-urlencoded', 'multipart/form-data'));

function refusalPage(tells: 'link' | 'form' | 'other', call: Call, status: number, error: AppError): Reply {
  const words = wordsOf(call.language);
  const faults = (error.issues ?? []).map(
    // what is wrong with a field is said in English: it is for who made the form
    (issue) =>
      html`<li><strong>${issue.path}</strong>${words.refusal === null && html`: ${issue.message}`}</li>`,
  );
  const next = { link: words.openLinkAgain, form: words.goBack, other: '' };
  const where = call.pageBefore ? html`<a href="${call.pageBefore}">${words.backToPage}</a>` : next[tells];
  const title =
    status === 429 || status === 503 ? words.waitAMoment : tells === 'form' ? words.notSent : words.notDone;
  return page(
    call,
    status,
    title,
    html`<p>${words.refusal?.[error.code] ?? error.message}</p>${faults.length > 0 && html`<ul>${faults}</ul>`}<p>${where}</p>${status >= 500 && html`<p class="soft">${words.request(call.id)}</p>`}`,
  );
}
