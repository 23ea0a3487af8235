// Lead forms: begun and submitted. What was typed never leaves the page with us; only the form's name does.
import { here, id, on, send, uuid } from './core.ts';

/** Forms that were begun, and the event id of what was submitted since somebody last typed: a double click is one. */
const submitted = new WeakMap<Element, string>();

// Selectors and attributes: a field called "name", "id" or "action" hides the form's own property.
const isCapture = (form: Element) => form.matches('[action*="/v1/leads/capture"]');

// Searches, sign-ins, carts: only the owner knows which form that goes elsewhere makes a lead.
const tell = (type: string, form: Element) =>
  (form.getAttribute('data-form') || (isCapture(form) && 'lead')) == 'lead' &&
  send(type, {
    eventId: submitted.get(form),
    props: {
      formName:
        form.querySelector<HTMLInputElement>('[name=formName]')?.value ||
        (isCapture(form) ? 'lead_capture' : form.getAttribute('name') || form.getAttribute('id') || 'form'),
    },
  });

on('input', ({ target: { form } }) => {
  if (form) {
    submitted.has(form) || tell('form_start', form);
    submitted.set(form, '');
  }
});
on('submit', (event) => {
  const form = event.target;
  submitted.get(form) || submitted.set(form, uuid());
  // After the page's own handlers: what they stop is no submission.
  setTimeout(() => event.defaultPrevented || tell('form_submit', form));
});
// Fires for `form.submit()` too, and for the page's own `new FormData(form)`. Nothing is added to the page, nor to
// other forms.
on('formdata', ({ target: form, formData }) => {
  if (isCapture(form) || formData.has('eventId')) {
    const eventId = submitted.get(form);
    formData.set('eventId', eventId || uuid());
    id() && formData.set('anonId', id());
    formData.get('path') || formData.set('path', here());
    // Stopped, but read: the page sends it by itself.
    eventId && tell('form_submit', form);
  }
});
