// Which submissions the snippet counts, and that every form which holds an address posts it once, with the snippet and without JavaScript.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium, until } from '../../../test/chromium.ts';
import { type Pages, startPages } from '../../../test/pages.ts';
import { type Recorded, startStub } from '../../../test/snippet-stub.ts';
import { type CorpusForm, FORMS } from '../captures/forms.corpus.ts';

const UUID = /^[0-9a-f-]{36}$/;

let api: Awaited<ReturnType<typeof startStub>>;
let site: Pages;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let thrown: Error[];

before(async () => {
  [api, site, browser] = await Promise.all([startStub(), startPages(), launchChromium()]);
});
after(async () => {
  await browser?.close();
  await site?.close();
  await api?.close();
});
afterEach(async () => {
  await context?.close();
  assert.deepEqual(thrown, [], 'the snippet throws nothing into the page');
});

async function open(javaScriptEnabled = true) {
  await context?.close();
  context = await browser.newContext({ javaScriptEnabled });
  page = await context.newPage();
  thrown = [];
  page.on('pageerror', (error) => thrown.push(error));
  api.requests.length = 0;
  api.since = Date.now();
}
const tag = (attributes = ' data-consent="full"') =>
  `<script src="${api.url}/s.js" data-site="default"${attributes}></script>`;
const fill = (html: string) =>
  html.replaceAll('{{capture}}', `${api.url}/v1/leads/capture`).replaceAll('{{api}}', api.url);
/** A form_submit is one submission, however often it was sent. */
const told = (type: string) => [
  ...new Map(
    api
      .seen()
      .filter((event) => event.eventType === type)
      .map((event) => [event.eventId, event]),
  ).values(),
];
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
const GOES_ELSEWHERE = ['a button with formaction', 'a base element'];

async function post(given: CorpusForm, javaScriptEnabled: boolean) {
  await open(javaScriptEnabled);
  const html = `${given.charset ? '' : '<meta charset="utf-8">'}${tag()}${fill(given.html)}`;
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
    if (SEES_NOTHING.includes(given.name) || GOES_ELSEWHERE.includes(given.name)) {
      assert.equal(fields.eventId, undefined);
    } else {
      assert.match(String(fields.eventId), UUID);
      assert.match(String(fields.anonId), UUID);
      assert.equal(fields.path, given.holds?.path ?? '/forms/one');
      // a form that was sent without a submit event is told by its capture alone
      if (given.name !== 'form.submit() from a link') {
        await until('the submission', () => told('form_submit').length > 0);
        assert.deepEqual(
          told('form_submit').map((event) => event.eventId),
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
    await open();
    site.pages.set('/page', tag() + fill(html));
    await page.goto(`${site.url}/page`);
    await act();
    await page.bringToFront();
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
    await page.evaluate(() => window.mkt.event('last'));
    await until('the last event', () => told('last').length === 1);
    assert.equal(told('form_submit').length, count);
    if (!count && !/draft|holds|three/.test(name)) assert.equal(told('form_start').length, 0);
  });

test('in the default mode a form carries its event and its page, and no id', async () => {
  await open();
  site.pages.set('/page', tag('') + fill(`<form ${CAPTURE}>${INSIDE}</form>`));
  await page.goto(`${site.url}/page`);
  await page.getByRole('button').click();
  await until('a capture', () => captures().length > 0);
  const { eventId, ...rest } = await fieldsOf(captures()[0]!);
  assert.match(String(eventId), UUID);
  assert.deepEqual(rest, { a: '', path: '/page' });
});
