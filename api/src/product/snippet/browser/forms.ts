// Forms: begun and submitted. What was typed never leaves the page with us; only the form's name does.
import { id, on, send } from './core.ts';

/** Forms that were begun, and the event id of their last submission. */
const begun = new WeakMap<Element, string | undefined>();

// Selectors and attributes: a field called "name", "id" or "action" hides the form's own property.
const isCapture = (form: Element) => form.matches('[action*="/v1/leads/capture"]');
const props = (form: Element) => ({
  formName:
    form.querySelector<HTMLInputElement>('[name=formName]')?.value ||
    (isCapture(form) ? 'lead_capture' : form.getAttribute('name') || form.getAttribute('id') || 'form'),
});

on('input', ({ target: { form } }) => {
  if (form && !begun.has(form)) {
    begun.set(form, '');
    send('form_start', { props: props(form) });
  }
});
// Ahead of the page's own handlers, so that one which posts the form by fetch gets the ids too.
on('submit', ({ target: form }) => begun.set(form, send('form_submit', { props: props(form) })));
// Also called for the page's own `new FormData(form)`. Nothing is added to the page, nor to other forms.
on('formdata', ({ target: form, formData }) => {
  const eventId = begun.get(form);
  if (eventId && (isCapture(form) || formData.has('eventId'))) {
    formData.set('eventId', eventId);
    formData.set('anonId', id());
  }
});
