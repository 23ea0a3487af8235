// What a person sees after a form: thanks, or what to mend, with everything they typed kept.
import type { Context } from 'koa';
import { escapeHtml, sendPage } from '../../ground/http/page.ts';
import type { AppError } from '../../ground/lib/app-error.ts';

/** Where a form without a page of its own ends. */
export const THANK_YOU = '/v1/leads/thank-you';

export function thankYouPage(ctx: Context): void {
  sendPage(
    ctx,
    200,
    'Thank you',
    '<p>We have received your message.</p><p class="soft">You can close this page.</p>',
  );
}

/** Hidden fields for everything that was sent but `except`; nested values as name[key]. */
function hiddenFields(body: Record<string, unknown>, except: string[]): string {
  const fields: string[] = [];
  const add = (name: string, value: unknown) => {
    if (Array.isArray(value)) for (const entry of value) add(name, entry);
    else if (typeof value === 'object' && value !== null)
      for (const [key, entry] of Object.entries(value)) add(`${name}[${key}]`, entry);
    else if (value !== null && value !== undefined)
      fields.push(`<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(String(value))}">`);
  };
  for (const [name, value] of Object.entries(body)) if (!except.includes(name)) add(name, value);
  return fields.join('');
}

/**
 * The address can't be right: the person corrects it here and sends the rest again as it was.
 * redirect     where the form wanted to go, made absolute, since this page is on our host
 * formTargets  the site's origins, where the corrected form may end up
 */
export function mendAddressPage(
  ctx: Context,
  body: Record<string, unknown>,
  given: { propertyId: string; redirect: string | null; formTargets: string[] },
): void {
  const typed = typeof body.email === 'string' ? body.email : '';
  sendPage(
    ctx,
    400,
    'Please check your email address',
    `<p id="fault" class="wrong">${typed ? `“${escapeHtml(typed)}” does not look like an email address.` : 'The email address is missing.'} Nothing else is lost: correct it and send again.</p>
<form method="post" action="/v1/leads/capture" accept-charset="utf-8">${hiddenFields({ ...body, propertyId: given.propertyId, redirect: given.redirect ?? undefined }, ['email'])}
<label for="email">Email address</label><input id="email" type="email" name="email" value="${escapeHtml(typed)}" autocomplete="email" required aria-describedby="fault" aria-invalid="true">
<button type="submit">Send again</button></form>`,
    given.formTargets,
  );
}

const FORM_DOORS = new Set(['/v1/leads/capture', '/v1/leads/unsubscribe']);
const LINKS = /^\/v1\/(unsubscribe|confirm)\//;

/**
 * Says a refusal as a page where a person looks at the answer: at our own pages, and after a plain form. No such door
 * ever answers JSON, whoever refuses.
 * returns  false: this was no person's request, and nothing was sent
 */
export function tellPerson(ctx: Context, status: number, error: AppError): boolean {
  const isLink = LINKS.test(ctx.path) || ctx.path === THANK_YOU;
  const isForm =
    FORM_DOORS.has(ctx.path) && Boolean(ctx.is('application/x-www-form-urlencoded', 'multipart/form-data'));
  if (!isLink && !isForm) return false;
  if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds));
  const faults = (error.issues ?? [])
    .map((issue) => `<li><strong>${escapeHtml(issue.path)}</strong>: ${escapeHtml(issue.message)}</li>`)
    .join('');
  const { pageBefore } = ctx.state;
  const next = isLink
    ? 'Open the link in the mail again.'
    : pageBefore
      ? `<a href="${escapeHtml(pageBefore)}">Back to the page</a>`
      : 'Go back with your browser’s back button: what you typed is still there.';
  sendPage(
    ctx,
    status,
    status === 429 || status === 503
      ? 'Please wait a moment'
      : isForm
        ? 'This could not be sent'
        : 'This could not be done',
    `<p>${escapeHtml(error.message)}</p>${faults ? `<ul>${faults}</ul>` : ''}<p>${next}</p>${status >= 500 ? `<p class="soft">Request ${escapeHtml(String(ctx.state.requestId))}</p>` : ''}`,
  );
  return true;
}
