// What a person sees after a form: thanks, or what to mend, with everything they typed kept.
import type { Context } from 'koa';
import { escapeHtml, sendPage } from '../http/page.ts';
import type { Issue } from '../lib/app-error.ts';

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

/** Anything else that keeps a form from being taken. */
export function refusalPage(
  ctx: Context,
  status: number,
  message: string,
  issues: Issue[] | undefined,
  back: string | null,
): void {
  const faults = (issues ?? [])
    .map((issue) => `<li><strong>${escapeHtml(issue.path)}</strong>: ${escapeHtml(issue.message)}</li>`)
    .join('');
  sendPage(
    ctx,
    status,
    status === 429 ? 'Please wait a moment' : 'This could not be sent',
    `<p>${escapeHtml(message)}</p>${faults ? `<ul>${faults}</ul>` : ''}<p>${back ? `<a href="${escapeHtml(back)}">Back to the page</a>` : 'Go back with your browser’s back button: what you typed is still there.'}</p>`,
  );
}
