// Forms of the corpus by what their fields are called and of what kind they are; forms.corpus.ts has the rest.

export interface CorpusForm {
  name: string;
  /** {{capture}} stands for the address of the capture route; filled in already, so that a press on the button sends it. */
  html: string;
  /** What is pressed; without it the first button of the page that submits. */
  press?: string;
  /** The page posts it by itself, with a script of its own: nothing happens without JavaScript. */
  js?: true;
  /** The charset of the page, where it isn't UTF-8; the bytes are made of Latin-1 characters. */
  charset?: 'iso-8859-1' | 'windows-1252';
  /** In a body that is sent: name and value of fields beside the address. */
  holds?: Record<string, string>;
}

export const EMAIL = '<input type="email" name="email" value="ada@example.com" required>';
export const BUTTON = '<button>Send</button>';
export const form = (inside: string, attributes = '') =>
  `<form action="{{capture}}" method="post" ${attributes}>${EMAIL}${inside}${BUTTON}</form>`;
export const FIELDS: CorpusForm[] = [
  // Names.
  {
    name: 'nested names',
    html: form('<input name="payload[name]" value="Ada"><input name="payload[company][city]" value="Laval">'),
    holds: { 'payload[name]': 'Ada', 'payload[company][city]': 'Laval' },
  },
  {
    name: 'names with dots',
    html: form('<input name="contact.first" value="Ada">'),
    holds: { 'contact.first': 'Ada' },
  },
  {
    name: 'names of WordPress plugins',
    html: form(
      '<input type="hidden" name="_wpcf7" value="12"><input name="your-name" value="Ada"><textarea name="your-message">Hi</textarea>',
    ),
    holds: { 'your-name': 'Ada', 'your-message': 'Hi' },
  },
  {
    name: 'names of a form service',
    html: form('<input type="hidden" name="_subject" value="New"><input type="text" name="_gotcha" hidden>'),
    holds: { _subject: 'New' },
  },
  {
    name: 'names of an audience tool',
    html: form(
      '<input name="FNAME" value="Ada"><input type="checkbox" name="group[1][2]" value="2" checked>',
    ),
    holds: { FNAME: 'Ada', 'group[1][2]': '2' },
  },
  {
    name: 'the same name twice',
    html: form('<input name="interest" value="rye"><input name="interest" value="wheat">'),
    holds: { interest: 'wheat' },
  },
  {
    name: 'brackets for a list',
    html: form(
      '<input type="checkbox" name="days[]" value="mon" checked><input type="checkbox" name="days[]" value="tue" checked>',
    ),
    holds: { 'days[]': 'tue' },
  },
  {
    name: 'a name with spaces and umlauts',
    html: form('<input name="Straße und Nr." value="Mühlweg 1">'),
    holds: { 'Straße und Nr.': 'Mühlweg 1' },
  },
  {
    name: 'fields called name, id, action and method',
    html: form(
      '<input name="name" value="Ada"><input name="id" value="7"><input name="action" value="go"><input name="method" value="m">',
    ),
    holds: { name: 'Ada', id: '7', action: 'go' },
  },
  {
    name: 'fields called submit and elements',
    html: form('<input name="submit" value="1"><input name="elements" value="2">'),
    holds: { submit: '1', elements: '2' },
  },
  { name: 'fields without a name', html: form('<input value="nobody"><textarea>nothing</textarea>') },
  {
    name: 'the name __proto__',
    html: form('<input name="__proto__" value="x"><input name="constructor" value="y">'),
  },
  // Kinds of fields.
  {
    name: 'a select and its options',
    html: form('<select name="size"><option>small<option selected value="l">large</select>'),
    holds: { size: 'l' },
  },
  {
    name: 'a select for several',
    html: form('<select name="loaves" multiple><option selected>rye<option selected>spelt</select>'),
    holds: { loaves: 'spelt' },
  },
  {
    name: 'a text area with lines',
    html: form('<textarea name="message">One\nTwo</textarea>'),
    holds: { message: 'One\r\nTwo' },
  },
  {
    name: 'a message of 3 000 characters',
    html: form(`<textarea name="message">${'bread '.repeat(500)}</textarea>`),
  },
  {
    name: 'radio buttons',
    html: form(
      '<input type="radio" name="how" value="mail" checked><input type="radio" name="how" value="post">',
    ),
    holds: { how: 'mail' },
  },
  {
    name: 'a checkbox without a value',
    html: form('<input type="checkbox" name="consentStatus" checked>'),
    holds: { consentStatus: 'on' },
  },
  {
    name: 'a consent with its words',
    html: form(
      '<input type="checkbox" name="consentStatus" value="express" checked><input type="hidden" name="consent[text]" value="Write to me.">',
    ),
    holds: { consentStatus: 'express' },
  },
  {
    name: 'boxes that nobody ticked',
    html: form(
      '<input type="checkbox" name="consentStatus" value="express"><input type="radio" name="x" value="1">',
    ),
  },
  {
    name: 'date, number, range and colour',
    html: form(
      '<input type="date" name="day" value="2026-03-01"><input type="number" name="n" value="2"><input type="range" name="r"><input type="color" name="c">',
    ),
    holds: { day: '2026-03-01', n: '2' },
  },
  {
    name: 'disabled fields',
    html: form(
      '<input name="gone" value="x" disabled><fieldset disabled><input name="also" value="y"></fieldset>',
    ),
  },
  {
    name: 'read-only fields',
    html: form('<input name="plan" value="loaf" readonly>'),
    holds: { plan: 'loaf' },
  },
  {
    name: 'a data list',
    html: form(
      '<input name="town" list="towns" value="Laval"><datalist id="towns"><option value="Laval"></datalist>',
    ),
    holds: { town: 'Laval' },
  },
  { name: 'an output and a meter', html: form('<output name="sum">12</output><meter value="1"></meter>') },
  {
    name: 'a hidden honeypot',
    html: form('<p style="display:none"><input name="honeypot" tabindex="-1" autocomplete="off"></p>'),
    holds: { honeypot: '' },
  },
  {
    name: 'dirname',
    html: form('<input name="comment" value="hi" dirname="comment.dir">'),
    holds: { comment: 'hi', 'comment.dir': 'ltr' },
  },
  {
    name: 'twenty-five boxes of one name',
    html: form('<input type="checkbox" name="t" value="1" checked>'.repeat(25)),
    holds: { t: '1' },
  },
  {
    name: 'eighty fields',
    html: form(Array.from({ length: 80 }, (_, i) => `<input name="q${i}" value="${i}">`).join('')),
    holds: { q79: '79' },
  },
  {
    name: 'a redirect and a source',
    html: form(
      '<input type="hidden" name="redirect" value="/thanks"><input type="hidden" name="utm_source" value="flyer">',
    ),
    holds: { redirect: '/thanks', utm_source: 'flyer' },
  },
  {
    name: 'a path of its own',
    html: form('<input type="hidden" name="path" value="/own">'),
    holds: { path: '/own' },
  },
  {
    name: 'an empty path and an empty anonId',
    html: form('<input type="hidden" name="path"><input type="hidden" name="anonId">'),
  },
  {
    name: 'an own formName',
    html: form('<input type="hidden" name="formName" value="letter">'),
    holds: { formName: 'letter' },
  },
];
