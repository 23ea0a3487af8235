// Which submissions the snippet counts, and that every form which holds an address posts it once, with the snippet and without JavaScript.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../../test/chromium.ts';
import { startPages } from '../../../test/pages.ts';
import {
  api,
  bakery,
  FULL,
  ids,
  of,
  open,
  page,
  ready,
  settled,
  show,
  site,
  tag,
  useSnippet,
} from '../../../test/snippet-browser.ts';
import type { Recorded } from '../../../test/snippet-stub.ts';
import { type CorpusForm, FORMS } from '../captures/forms.corpus.ts';

const UUID = /^[0-9a-f-]{36}$/;

useSnippet();

const fill = (html: string) =>
  html.replaceAll('{{capture}}', `${api.url}/v1/leads/capture`).replaceAll('{{api}}', api.url);
const captures = () => api.requests.filter(({ url }) => url.startsWith('/v1/leads/capture'));

/** The fields of a body as it was sent; of several with one name the last. */
async function fieldsOf({ body, contentType }: Recorded): Promise<Record<string, unknown>> {
  if (/json/.test(contentType)) return JSON.parse(body);
  const form = await new Response(body, {
    headers: { 'content-type': contentType || 'application/x-www-form-urlencoded' },
  }).formData();
  return Object.fromEntries(form);
}

const SEES_NOTHING = ['a form in a shadow root'];

async function post(given: CorpusForm, javaScriptEnabled: boolean) {
  if (!javaScriptEnabled) await open({ javaScriptEnabled });
  const html = `${given.charset ? '' : '<meta charset="utf-8">'}${tag(FULL)}${fill(given.html)}`;
  site.pages.set(
    '/forms/one',
    given.charset
      ? {
          type: `text/html; charset=${given.charset}`,
          body: Buffer.from(`<!doctype html>${html}`, 'latin1'),
        }
      : html,
  );
  await page.goto(`${site.url}/forms/one`);
  await page
    .locator(given.press ?? 'button, [type=submit]')
    .first()
    .click();
  await until('a capture', () => captures().length > 0);
}

for (const given of FORMS) {
  test(`with the snippet, one post, tied to its visitor: ${given.name}`, async () => {
    await post(given, true);
    const fields = await fieldsOf(captures()[0]!);
    assert.equal(String(fields.email).trim(), 'ada@example.com');
    for (const [name, value] of Object.entries(given.holds ?? {})) assert.equal(fields[name], value, name);
    if (SEES_NOTHING.includes(given.name)) {
      assert.equal(fields.eventId, undefined);
    } else {
      assert.match(String(fields.eventId), UUID);
      assert.match(String(fields.anonId), UUID);
      assert.equal(fields.path, given.holds?.path ?? '/forms/one');
      // a form that was sent without a submit event is told by its capture alone
      if (given.name !== 'form.submit() from a link') {
        await until('the submission', () => of('form_submit').length > 0);
        assert.deepEqual(
          of('form_submit').map((event) => event.eventId),
          [fields.eventId],
        );
      }
    }
    assert.equal(captures().length, 1);
  });
  if (!given.js)
    test(`without JavaScript, one post: ${given.name}`, async () => {
      await post(given, false);
      const fields = await fieldsOf(captures()[0]!);
      assert.equal(String(fields.email).trim(), 'ada@example.com');
      assert.equal(captures().length, 1);
      assert.equal(fields.eventId, undefined);
    });
}

test('the corpus has at least sixty forms, each under a name of its own', () => {
  assert.ok(FORMS.length >= 60, String(FORMS.length));
  assert.equal(new Set(FORMS.map(({ name }) => name)).size, FORMS.length);
});

const CAPTURE = 'action="{{capture}}" method="post" target="_blank"';
const OTHER = 'action="/elsewhere" method="post" target="_blank"';
const INSIDE = '<input name="a"><button>Send</button>';
// The form, what is done, and how often it is a submission of a lead form.
for (const [name, html, count, act = async () => page.getByRole('button').first().click()] of [
  ['a form that posts to us', `<form ${CAPTURE}>${INSIDE}</form>`, 1],
  ['one that is marked data-form="lead"', `<form ${OTHER} data-form="lead">${INSIDE}</form>`, 1],
  [
    'a marked one that is sent by GET',
    `<form action="/x" target="_blank" data-form="lead">${INSIDE}</form>`,
    1,
  ],
  ['one to us that is marked data-form="ignore"', `<form ${CAPTURE} data-form="ignore">${INSIDE}</form>`, 0],
  ['a search', `<form role="search" action="/search" target="_blank">${INSIDE}</form>`, 0],
  [
    'a search in a search element',
    `<search><form action="/search" target="_blank">${INSIDE}</form></search>`,
    0,
  ],
  ['a search by POST', `<form ${OTHER}><input type="search" name="q"><button>Go</button></form>`, 0],
  [
    'a sign-in',
    `<form ${OTHER}><input name="user"><input type="password" name="p"><button>In</button></form>`,
    0,
  ],
  [
    'a filter',
    `<form action="/list" target="_blank"><select name="by"><option>a</select><button>Show</button></form>`,
    0,
  ],
  ['a cart', `<form ${OTHER}><input name="quantity" value="1"><button>Add</button></form>`, 0],
  ['a dialog', '<form method="dialog"><button>Close</button></form>', 0],
  [
    'one that the browser holds back',
    `<form ${CAPTURE}><input name="email" required><button>Send</button></form>`,
    0,
  ],
  [
    'one that its page stops three times',
    `<form ${CAPTURE} onsubmit="event.preventDefault()">${INSIDE}</form>`,
    0,
    async () => page.getByRole('button').click({ clickCount: 3 }),
  ],
  [
    'one that is stopped, then mended',
    `<form ${CAPTURE} onsubmit="return this.elements.a.value !== ''">${INSIDE}</form>`,
    1,
    async () => {
      await page.getByRole('button').click();
      await page.locator('input').fill('x');
      await page.getByRole('button').click();
    },
  ],
  ['a double click', `<form ${CAPTURE}>${INSIDE}</form>`, 1, async () => page.getByRole('button').dblclick()],
  [
    'two people at one form',
    `<form ${CAPTURE}>${INSIDE}</form>`,
    2,
    async () => {
      for (const who of ['Ada', 'Grace']) {
        await page.locator('input').fill(who);
        await page.getByRole('button').click();
      }
    },
  ],
  [
    'a draft that is read at each key',
    `<form ${CAPTURE} oninput="new FormData(this)">${INSIDE}</form>`,
    0,
    async () => page.locator('input').pressSequentially('draft'),
  ],
] as [string, string, number, (() => Promise<unknown>)?][])
  test(`${name}: ${count || 'no'} submission${count > 1 ? 's' : ''}`, async () => {
    await show(tag(FULL) + fill(html));
    await ready();
    await act();
    await page.bringToFront();
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
    await settled();
    assert.equal(of('form_submit').length, count);
    if (!count && !/draft|holds|three/.test(name)) assert.equal(of('form_start').length, 0);
  });

test('in the default mode a form carries its event and its page, and no id', async () => {
  await show(tag() + fill(`<form ${CAPTURE}>${INSIDE}</form>`));
  await ready();
  await page.getByRole('button').click();
  await until('a capture', () => captures().length > 0);
  const { eventId, ...rest } = await fieldsOf(captures()[0]!);
  assert.match(String(eventId), UUID);
  assert.deepEqual(rest, { a: '', path: '/page' });
});

test('a form is begun once and submitted, and its capture carries the same event id and visitor', async () => {
  await page.goto(`${bakery.url}/newsletter`);
  await ready();
  await page.getByLabel('Your name').fill('Ada');
  await page.getByLabel('Your email address').fill('ada@example.com');
  await page.getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Subscribe' }).click();
  await page.waitForURL('**/thanks');
  await until('the submit', () => of('form_submit').length > 0);
  assert.equal(ids(of('form_start')).length, 1);
  assert.deepEqual(of('form_start')[0]!.props, { formName: 'newsletter' });
  assert.deepEqual(of('form_submit')[0]!.props, { formName: 'newsletter' });
  const capture = api.requests.find((request) => request.url === '/v1/leads/capture')!;
  const posted = new URLSearchParams(capture.body);
  assert.equal(posted.get('eventId'), of('form_submit')[0]!.eventId);
  assert.equal(posted.get('anonId'), of('form_submit')[0]!.anonId);
  assert.equal(posted.get('email'), 'ada@example.com');
  for (const { body, url } of api.requests) if (url === '/v1/events') assert.doesNotMatch(body, /ada@/i);
});

test('a page that posts its form by itself finds the ids in the form data', async () => {
  await page.goto(`${bakery.url}/newsletter`);
  await ready();
  const data = await page.evaluate(
    () =>
      new Promise<Record<string, unknown>>((resolve) => {
        const form = document.querySelector('form')!;
        form.addEventListener('submit', (event) => {
          event.preventDefault();
          resolve(Object.fromEntries(new FormData(form)));
        });
        form.noValidate = true;
        form.requestSubmit();
      }),
  );
  await until('the submit', () => of('form_submit').length === 1);
  assert.equal(data.eventId, of('form_submit')[0]!.eventId);
  assert.equal(data.anonId, of('form_submit')[0]!.anonId);
});

test('another form is counted by its name and gets no fields of ours', async () => {
  await page.goto(`${bakery.url}/visit`);
  await ready();
  await page.getByLabel('Your question').fill('Rye?');
  await page.getByRole('button', { name: 'Ask' }).click();
  await page.waitForURL('**/thanks?q=Rye%3F');
  await until('the submit', () => of('form_submit').length > 0);
  assert.deepEqual(of('form_submit')[0]!.props, { formName: 'question' });
});

// Where a form goes is what its browser makes of it: the pressed button's own address, and the page's base element.
const ELSEWHERE = '{{elsewhere}}/v1/leads/capture';
for (const [name, html, isOurs] of [
  [
    'a button that sends it to us',
    `<form action="/x" method="post"><button formaction="{{capture}}">Go</button></form>`,
    true,
  ],
  [
    'a button outside of the form that sends it to us',
    `<form id="f" action="/x" method="post"></form><button form="f" formaction="{{capture}}">Go</button>`,
    true,
  ],
  [
    'an input that sends it to us',
    `<form method="post"><input type="submit" value="Go" formaction="{{capture}}"></form>`,
    true,
  ],
  [
    'a button whose own address is empty',
    `<form action="{{capture}}" method="post"><button formaction="">Go</button></form>`,
    true,
  ],
  [
    'a base element that makes a relative address ours',
    `<base href="{{api}}/v1/leads/"><form action="capture" method="post"><button>Go</button></form>`,
    true,
  ],
  [
    'a base element and a button with a relative address',
    `<base href="{{api}}/"><form action="/x" method="post"><button formaction="v1/leads/capture">Go</button></form>`,
    true,
  ],
  [
    'an absolute address under a base element elsewhere',
    `<base href="{{elsewhere}}/"><form action="{{capture}}" method="post"><button>Go</button></form>`,
    true,
  ],
  [
    'a field called action beside it',
    `<form action="{{capture}}" method="post"><input name="action" value="x"><button>Go</button></form>`,
    true,
  ],
  [
    'a button that sends it elsewhere',
    `<form action="{{capture}}" method="post"><button formaction="/x">Go</button></form>`,
    false,
  ],
  [
    'a base element that sends it elsewhere',
    `<base href="{{elsewhere}}/"><form action="/v1/leads/capture" method="post"><button>Go</button></form>`,
    false,
  ],
  ['our path on another host', `<form action="${ELSEWHERE}" method="post"><button>Go</button></form>`, false],
  [
    'our address in its query',
    `<form action="{{elsewhere}}/x?next={{capture}}" method="post"><button>Go</button></form>`,
    false,
  ],
  [
    'another route of ours',
    `<form action="{{api}}/v1/leads/unsubscribe" method="post"><button>Go</button></form>`,
    false,
  ],
  [
    'a button for us that was pressed before',
    `<form method="post" target="t" action="/x"><button formaction="{{capture}}">One</button><button id="b">Two</button></form><iframe name="t"></iframe>`,
    false,
  ],
] as [string, string, boolean][])
  test(`a form with ${name} ${isOurs ? 'is tied to the visit' : 'is none of ours'}`, async (t) => {
    const stranger = await startPages();
    t.after(() => stranger.close());
    await show(tag(FULL) + fill(html).replaceAll('{{elsewhere}}', stranger.url));
    await ready();
    if (name.includes('before')) {
      await page.getByText('One').click();
      await until('the first submission', () => of('form_submit').length === 1);
    }
    const before = of('form_submit').length;
    const posted = page.waitForRequest(
      (request) => request.method() === 'POST' && !request.url().includes('/v1/events'),
    );
    await page.locator('#b, button, [type=submit]').last().click();
    const fields = new URLSearchParams((await posted).postData() ?? '');
    assert.deepEqual(
      ['eventId', 'anonId', 'path'].map((field) => fields.has(field)),
      [isOurs, isOurs, isOurs],
    );
    await page.waitForLoadState('load');
    await show(tag(FULL), '/after');
    await settled();
    assert.deepEqual(of('form_submit').slice(before), isOurs ? [of('form_submit').at(-1)] : []);
  });
