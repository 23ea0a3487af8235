// Forms: begun and submitted. What was typed never leaves the page with us; only the form's name does.
import { id, on, send } from './core.ts';

const begun = new WeakSet();

// Attributes and selectors only: a field called "name", "id" or "action" hides the form's own property.
const isCapture = (form: Element) => /\/v1\/leads\/capture/.test(form.getAttribute('action') || '');
const field = (form: Element, name: string) => form.querySelector<HTMLInputElement>(`[name=${name}]`);
const props = (form: Element) => ({
  formName:
    field(form, 'formName')?.value ||
    (isCapture(form) ? 'lead_capture' : form.getAttribute('name') || form.getAttribute('id') || 'form'),
});

on('input', ({ target: { form } }) => {
  if (form && !begun.has(form)) {
    begun.add(form);
    send('form_start', { props: props(form) });
  }
});

// Ahead of the page's own handlers, so that one which posts the form by fetch finds the ids in it.
on('submit', ({ target: form }) => {
  const eventId = send('form_submit', { props: props(form) });
  if (eventId)
    for (const [name, value] of Object.entries({ eventId, anonId: id() as string })) {
      let input = field(form, name);
      if (!input && isCapture(form)) {
        input = document.createElement('input');
        input.type = 'hidden';
        input.name = name;
        form.append(input);
      }
      if (input) input.value = value;
    }
});
