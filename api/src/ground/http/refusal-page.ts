// Says a refusal as a page where a person looks at the answer: at our own links, and after a plain form.
import type { Context } from 'koa';
import type { AppError } from '../lib/app-error.ts';
import type { Call } from './call.ts';
import type { TellPerson } from './errors.ts';
import { send } from './frame.ts';
import { html } from './html.ts';
import { page } from './page.ts';
import type { Reply } from './reply.ts';
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
    const isTold = call.readsPages || (tells && !call.readsJson && (tells === 'link' || isFormPost(ctx)));
    if (!isTold) return false;
    if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds));
    send(ctx, refusalPage(tells ?? (isFormPost(ctx) ? 'form' : 'other'), call, status, error));
    return true;
  };
}

const isFormPost = (ctx: Context) =>
  Boolean(ctx.is('application/x-www-form-urlencoded', 'multipart/form-data'));

const NEXT = {
  link: 'Open the link in the mail again.',
  form: 'Go back with your browser’s back button: what you typed is still there.',
  other: '',
};

function refusalPage(tells: 'link' | 'form' | 'other', call: Call, status: number, error: AppError): Reply {
  const faults = (error.issues ?? []).map(
    (issue) => html`<li><strong>${issue.path}</strong>: ${issue.message}</li>`,
  );
  const next = call.pageBefore ? html`<a href="${call.pageBefore}">Back to the page</a>` : NEXT[tells];
  const title =
    status === 429 || status === 503
      ? 'Please wait a moment'
      : tells === 'form'
        ? 'This could not be sent'
        : 'This could not be done';
  return page(
    status,
    title,
    html`<p>${error.message}</p>${faults.length > 0 && html`<ul>${faults}</ul>`}<p>${next}</p>${status >= 500 && html`<p class="soft">Request ${call.id}</p>`}`,
  );
}
