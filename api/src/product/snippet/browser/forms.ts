// Lead forms: begun and submitted. What was typed never leaves the page with us; only the form's name does.
import { endpoint, here, id, on, send, uuid } from './core.ts';

/** Forms that were begun, and the event id of what was submitted since somebody last typed: a double click is one. */
const submitted = new WeakMap<Element, string>();
/** The address that the button which sent a form last has of its own: until it was stopped, or somebody types again. */
let formaction: string | 0;

// Copies of forms have no fields: one called "name", "id" or "action" hides the form's own property.
/** Whether it goes to us, as the browser resolves addresses: the pressed button's, else the form's, from the page's base. */
const isCapture = (copy: HTMLFormElement) => {
  if (formaction) copy.action = formaction;
  return copy.action.startsWith(endpoint + 'leads/capture');
};

// Searches, sign-ins, carts: only the owner knows which form that goes elsewhere makes a lead.
const tell = (
  type: string,
  form: Element,
  copy = form.cloneNode() as HTMLFormElement,
  ours = isCapture(copy),
) =>
  (copy.dataset.form || (ours && 'lead')) == 'lead' &&
  send(type, {
    eventId: submitted.get(form),
    props: {
      formName:
        form.querySelector<HTMLInputElement>('[name=formName]')?.value ||
        (ours ? 'lead_capture' : copy.name || copy.id || 'form'),
    },
  });

on('input', ({ target: { form } }) => {
  if (form) {
    formaction = 0;
    submitted.has(form) || tell('form_start', form);
    submitted.set(form, '');
  }
});
on('submit', (event) => {
  const form = event.target;
  submitted.get(form) || submitted.set(form, uuid());
  formaction = event.submitter?.getAttribute('formaction');
  // After the page's own handlers: what they stop is no submission.
  setTimeout(() => (event.defaultPrevented ? (formaction = 0) : tell('form_submit', form)));
});
// Fires for `form.submit()` too, and for the page's own `new FormData(form)`. Nothing is added to the page, nor to
// other forms.
on('formdata', ({ target: form, formData }) => {
  if (isCapture(form.cloneNode()) || formData.has('eventId')) {
    formData.set('eventId', submitted.get(form) || uuid());
    formData.get('path') || formData.set('path', here());
    id() && formData.set('anonId', id());
    // Stopped, but read: the page sends it by itself.
    submitted.get(form) && tell('form_submit', form);
  }
});
