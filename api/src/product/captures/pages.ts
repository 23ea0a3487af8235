// What a person sees after a form: thanks, or what to mend, with everything they typed kept.
import { type Html, html } from '../../ground/http/html.ts';
import { page } from '../../ground/http/page.ts';
import { Reply } from '../../ground/http/reply.ts';

/** Where a form without a page of its own ends. */
export const THANK_YOU = '/v1/leads/thank-you';

export const thankYouPage = (): Reply =>
  page(
    200,
    'Thank you',
    html`<p>We have received your message.</p><p class="soft">You can close this page.</p>`,
  );

/** On to the page the form names; null: to our own. */
export const sendOn = (target: string | null): Reply =>
  new Reply(303, '<!doctype html><title>Thank you</title><p>Thank you.</p>', {
    Location: target ?? THANK_YOU,
    'Cache-Control': 'no-store',
    'Content-Type': 'text/html; charset=utf-8',
  });

/** Hidden fields for everything that was sent but `except`; nested values as name[key]. */
function hiddenFields(body: Record<string, unknown>, except: string[]): Html[] {
  const fields: Html[] = [];
  const add = (name: string, value: unknown) => {
    if (Array.isArray(value)) for (const entry of value) add(name, entry);
    else if (typeof value === 'object' && value !== null)
      for (const [key, entry] of Object.entries(value)) add(`${name}[${key}]`, entry);
    else if (value !== null && value !== undefined)
      fields.push(html`<input type="hidden" name="${name}" value="${String(value)}">`);
  };
  for (const [name, value] of Object.entries(body)) if (!except.includes(name)) add(name, value);
  return fields;
}

/**
 * The address can't be right: the person corrects it here and sends the rest again as it was.
 * redirect     where the form wanted to go, made absolute, since this page is on our host
 * formTargets  the site's origins, where the corrected form may end up
 */
export function mendAddressPage(
  body: Record<string, unknown>,
  given: { propertyId: string; redirect: string | null; formTargets: string[] },
): Reply {
  const typed = typeof body.email === 'string' ? body.email : '';
  const kept = { ...body, propertyId: given.propertyId, redirect: given.redirect ?? undefined };
  return page(
    400,
    'Please check your email address',
    html`<p id="fault" class="wrong">${typed ? `“${typed}” does not look like an email address.` : 'The email address is missing.'} Nothing else is lost: correct it and send again.</p>
<form method="post" action="/v1/leads/capture" accept-charset="utf-8">${hiddenFields(kept, ['email'])}
<label for="email">Email address</label><input id="email" type="email" name="email" value="${typed}" autocomplete="email" required aria-describedby="fault" aria-invalid="true">
<button type="submit">Send again</button></form>`,
    given.formTargets,
  );
}
