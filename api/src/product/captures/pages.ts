// What a person sees after a form: thanks, or what to mend, with everything they typed kept.
import { type Html, html } from '../../ground/http/html.ts';
import { page, type Reader } from '../../ground/http/page.ts';
import { Reply } from '../../ground/http/reply.ts';
import { wordsOf } from '../../ground/words/words.ts';

/** Where a form without a page of its own ends. */
export const THANK_YOU = '/v1/leads/thank-you';

export function thankYouPage(reader: Reader): Reply {
  const words = wordsOf(reader.language);
  return page(
    reader,
    200,
    words.thankYou,
    html`<p>${words.received}</p><p class="soft">${words.closePage}</p>`,
  );
}

/** Our own page of thanks, in the language of the form's person, with the notice of its site. */
function thanksOf({ language, noticeOf }: Reader): string {
  const query = new URLSearchParams({ lang: language, ...(noticeOf ? { propertyId: noticeOf } : {}) });
  return `${THANK_YOU}?${query}`;
}

/** On to the page the form names; null: to our own. */
export const sendOn = (target: string | null, reader: Reader): Reply =>
  new Reply(303, String(html`<!doctype html><title>${wordsOf(reader.language).thankYou}</title>`), {
    Location: target ?? thanksOf(reader),
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
 * at           the path that takes it
 */
export function mendAddressPage(
  reader: Reader,
  body: Record<string, unknown>,
  given: { propertyId: string; redirect: string | null; formTargets: string[]; at: string },
): Reply {
  const typed = typeof body.email === 'string' ? body.email : '';
  const kept = { ...body, propertyId: given.propertyId, redirect: given.redirect ?? undefined };
  const words = wordsOf(reader.language);
  return page(
    reader,
    400,
    words.checkAddress,
    html`<p id="fault" class="wrong">${typed ? words.notAnAddress(typed) : words.addressMissing} ${words.nothingLost}</p>
<form method="post" action="${given.at}" accept-charset="utf-8">${hiddenFields(kept, ['email'])}
<label for="email">${words.emailAddress}</label><input id="email" type="email" name="email" value="${typed}" autocomplete="email" required aria-describedby="fault" aria-invalid="true">
<button type="submit">${words.sendAgain}</button></form>`,
    { formTargets: given.formTargets },
  );
}
