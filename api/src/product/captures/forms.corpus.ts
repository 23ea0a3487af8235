// Forms as site builders, templates and people write them, each holding the address ada@example.com: what a browser makes of them is to become one lead.
import { BUTTON, type CorpusForm, EMAIL, FIELDS, form } from './form-fields.corpus.ts';

export type { CorpusForm };

/** A form whose own script sends it. */
const scripted = (send: string, attributes = 'action="{{capture}}" method="post"') =>
  `<form id="f" ${attributes}>${EMAIL}<input name="message" value="Hello">${BUTTON}</form><script>
  const form = document.querySelector('#f');
  form.addEventListener('submit', async (event) => { event.preventDefault(); ${send} });</script>`;

export const FORMS: CorpusForm[] = [
  // As it stands in documentation and templates.
  { name: 'the README', html: form('') },
  {
    name: 'an input without a button pressed by its type',
    html: `<form action="{{capture}}" method="post">${EMAIL}<input type="submit" value="Go"></form>`,
  },
  {
    name: 'a picture as its button',
    html: `<form action="{{capture}}" method="post">${EMAIL}<input type="image" alt="Go" src="/go.png"></form>`,
    press: '[type=image]',
  },
  { name: 'method in capitals', html: form('').replace('"post"', '"POST"') },
  {
    name: 'attributes without quotes',
    html: `<form action={{capture}} method=post><input name=email value=ada@example.com><button>Send</button></form>`,
  },
  {
    name: 'no type on the address',
    html: `<form action="{{capture}}" method="post"><input name="email" value="ada@example.com">${BUTTON}</form>`,
  },
  { name: 'novalidate', html: form('', 'novalidate') },
  {
    name: 'accept-charset',
    html: form('<input name="city" value="Zürich">', 'accept-charset="utf-8"'),
    holds: { city: 'Zürich' },
  },
  { name: 'in a new tab', html: form('', 'target="_blank"') },
  {
    name: 'into a hidden frame, as old templates do',
    html: `${form('', 'target="hidden"')}<iframe name="hidden" hidden></iframe>`,
  },
  {
    name: 'spaces around the address',
    html: form('')
      .replace('type="email"', 'type="text"')
      .replace('"ada@example.com"', '"  ada@example.com "'),
  },
  {
    name: 'autocomplete and pattern',
    html: form('<input name="phone" pattern="[0-9 ]+" autocomplete="tel" value="514 555 01">'),
    holds: { phone: '514 555 01' },
  },
  ...FIELDS,
  // Buttons and where fields stand.
  {
    name: 'a button with a name',
    html: `<form action="{{capture}}" method="post">${EMAIL}<button name="list" value="weekly">Go</button></form>`,
    holds: { list: 'weekly' },
  },
  {
    name: 'two buttons',
    html: `<form action="{{capture}}" method="post">${EMAIL}<button name="want" value="a">A</button><button name="want" value="b" id="b">B</button></form>`,
    press: '#b',
    holds: { want: 'b' },
  },
  {
    name: 'a button with formaction',
    html: `<form action="/elsewhere" method="post">${EMAIL}<button>Elsewhere</button><button formaction="{{capture}}" id="b">Here</button></form>`,
    press: '#b',
  },
  {
    name: 'a button with formmethod',
    html: `<form action="{{capture}}">${EMAIL}<button formmethod="post">Send</button></form>`,
  },
  {
    name: 'a button outside of the form',
    html: `<form id="far" action="{{capture}}" method="post">${EMAIL}</form><button form="far">Send</button>`,
  },
  {
    name: 'fields outside of the form',
    html: `<form id="far" action="{{capture}}" method="post">${BUTTON}</form><p><input form="far" name="email" value="ada@example.com"><input form="far" name="city" value="Laval"></p>`,
    holds: { city: 'Laval' },
  },
  {
    name: 'a form in a table',
    html: `<table><tr><td>${form('<input name="cell" value="1">')}</td></tr></table>`,
    holds: { cell: '1' },
  },
  {
    name: 'a form in a form, which is none',
    html: `<form action="{{capture}}" method="post"><form action="/x">${EMAIL}${BUTTON}</form>`,
  },
  { name: 'a form nobody closed', html: `<form action="{{capture}}" method="post">${EMAIL}<p>${BUTTON}` },
  {
    name: 'a dialog',
    html: `<dialog open>${form('<input name="in" value="dialog">')}</dialog>`,
    holds: { in: 'dialog' },
  },
  { name: 'a details element', html: `<details open>${form('')}</details>` },
  {
    name: 'a base element',
    html: `<base href="{{api}}/">${form('').replace('{{capture}}', 'v1/leads/capture')}`,
  },
  { name: 'a query in the action', html: form('').replace('{{capture}}', '{{capture}}?from=footer') },
  // Encodings.
  {
    name: 'multipart',
    html: form('<input name="city" value="Zürich">', 'enctype="multipart/form-data"'),
    holds: { city: 'Zürich' },
  },
  {
    name: 'multipart with a file nobody chose',
    html: form('<input type="file" name="cv">', 'enctype="multipart/form-data"'),
  },
  {
    name: 'multipart with a list',
    html: form('<input name="a[]" value="1"><input name="a[]" value="2">', 'enctype="multipart/form-data"'),
    holds: { 'a[]': '2' },
  },
  { name: 'a file field without multipart', html: form('<input type="file" name="cv">') },
  { name: 'a page in Latin-1', html: form('<input name="who" value="Zoë Müller">'), charset: 'iso-8859-1' },
  {
    name: 'a page in windows-1252 with _charset_',
    html: form('<input type="hidden" name="_charset_"><input name="who" value="Zoë">'),
    charset: 'windows-1252',
    holds: { _charset_: 'windows-1252' },
  },
  {
    name: 'a page in Latin-1 that asks for UTF-8',
    html: form('<input name="who" value="Zoë">', 'accept-charset="utf-8"'),
    charset: 'iso-8859-1',
    holds: { who: 'Zoë' },
  },
  // Scripts of the page.
  {
    name: 'fetch with FormData',
    js: true,
    html: scripted("await fetch(form.action, { method: 'POST', body: new FormData(form) })"),
    holds: { message: 'Hello' },
  },
  {
    name: 'fetch with URLSearchParams',
    js: true,
    html: scripted(
      "await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) })",
    ),
    holds: { message: 'Hello' },
  },
  {
    name: 'fetch after something else was awaited',
    js: true,
    html: scripted(
      "await new Promise((done) => setTimeout(done, 50)); await fetch(form.action, { method: 'POST', body: new FormData(form) })",
    ),
    holds: { message: 'Hello' },
  },
  {
    name: 'fetch with JSON of the form',
    js: true,
    html: scripted(
      "await fetch(form.action, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(Object.fromEntries(new FormData(form))) })",
    ),
    holds: { message: 'Hello' },
  },
  {
    name: 'XMLHttpRequest',
    js: true,
    html: scripted("const x = new XMLHttpRequest(); x.open('POST', form.action); x.send(new FormData(form))"),
    holds: { message: 'Hello' },
  },
  {
    name: 'a beacon',
    js: true,
    html: scripted('navigator.sendBeacon(form.action, new FormData(form))'),
    holds: { message: 'Hello' },
  },
  {
    name: 'form.submit() after a check',
    js: true,
    html: scripted('form.submit()'),
    holds: { message: 'Hello' },
  },
  {
    name: 'form.submit() from a link',
    js: true,
    html: `<form id="f" action="{{capture}}" method="post">${EMAIL}</form><a id="go" href="#" onclick="document.querySelector('#f').submit()">Send</a>`,
    press: '#go',
  },
  {
    name: 'requestSubmit() from a link',
    js: true,
    html: `<form id="f" action="{{capture}}" method="post">${EMAIL}</form><a id="go" href="#" onclick="document.querySelector('#f').requestSubmit()">Send</a>`,
    press: '#go',
  },
  {
    name: 'a script that adds fields on formdata',
    js: true,
    html: `${form('')}<script>document.forms[0].addEventListener('formdata', (event) => event.formData.set('added', 'yes'))</script>`,
    holds: { added: 'yes' },
  },
  {
    name: 'a script that stops the event for others',
    js: true,
    html: `${form('')}<script>document.forms[0].addEventListener('submit', (event) => event.stopImmediatePropagation())</script>`,
  },
  {
    name: 'a form made by a script',
    js: true,
    html: `<div id="here"></div><script>document.querySelector('#here').innerHTML = ${JSON.stringify(form('<input name="made" value="later">')).replaceAll('</', '<\\/')}</script>`,
    holds: { made: 'later' },
  },
  {
    name: 'a form in a shadow root',
    js: true,
    html: `<div id="host"></div><script>document.querySelector('#host').attachShadow({ mode: 'open' }).innerHTML = ${JSON.stringify(form('')).replaceAll('</', '<\\/')}</script>`,
  },
  {
    name: 'a custom element that is a field',
    js: true,
    html: `<script>customElements.define('x-town', class extends HTMLElement { static formAssociated = true; constructor() { super(); this.attachInternals().setFormValue('Laval') } })</script>${form('<x-town name="town"></x-town>')}`,
    holds: { town: 'Laval' },
  },
];
