// Says a refusal as a page where a person looks at the answer: at our own links, and after a plain form.
import type { Context } from 'koa';
import type { AppError } from '../lib/app-error.ts';
import type { Call } from './call.ts';
import type { TellPerson } from './errors.ts';
import { html } from './html.ts';
import { page } from './page.ts';
import { type Reply, send } from './reply.ts';
import type { Route } from './route.ts';

/** A route that tells people never answers them JSON, whoever refuses: the frame, the route, or the house that still starts. */
export function refusalPages(
  routeAt: (method: string, path: string) => Pick<Route, 'tells'> | null,
): TellPerson {
  return (ctx, call, status, error) => {
    const tells = (call.route ?? routeAt(ctx.method, ctx.path))?.tells;
    if (!tells || (tells === 'form' && !isFormPost(ctx))) return false;
    if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds));
    send(ctx, refusalPage(tells, call, status, error));
    return true;
  };
}

const isFormPost = (ctx: Context) =>
  Boolean(ctx.is('application/x-www-form-urlencoded', 'multipart/form-data'));

function refusalPage(tells: 'link' | 'form', call: Call, status: number, error: AppError): Reply {
  const faults = (error.issues ?? []).map(
    (issue) => html`<li><strong>${issue.path}</strong>: ${issue.message}</li>`,
  );
  const next =
    tells === 'link'
      ? 'Open the link in the mail again.'
      : call.pageBefore
        ? html`<a href="${call.pageBefore}">Back to the page</a>`
        : 'Go back with your browser’s back button: what you typed is still there.';
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
