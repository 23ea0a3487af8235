// Every form of the corpus, posted by Chromium with and without JavaScript through the real API: one lead for each address, none without one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium, until } from '../../../test/chromium.ts';
import { type Pages, startPages } from '../../../test/pages.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { type CorpusForm, FORMS } from './forms.corpus.ts';

// As many tabs at once as keep a core busy while pages load.
const TABS = 4;

let api: TestServer;
let site: Pages;
let browser: Browser;

before(async () => {
  [api, site, browser] = await Promise.all([startServer(), startPages(), launchChromium(BROWSER)]);
  const made = await call(
    `${api.url}/v1/sites`,
    'POST',
    { key: 'corpus', name: 'Forms', domain: 'forms.example', origins: [site.url] },
    admin,
  );
  assert.equal(made.status, 201);
});
after(async () => {
  await browser?.close();
  await site?.close();
  await api?.end();
});

// The script can't look into a shadow root (its README says so): the lead is a day visitor's, and names no page.
const UNSEEN = 'a form in a shadow root';

interface Posted {
  form: CorpusForm;
  email: string;
  path: string;
}

const rows = async (sql: string, values: unknown[] = []) =>
  (await api.database.owner.query(sql, values)).rows;

/** The page it stands on: with the README's script, or its picture where no script runs. */
function pageOf({ form, email }: Posted): string | { type: string; body: Buffer } {
  const html = [
    form.charset ? '' : '<meta charset="utf-8">',
    // To another host browsers name the origin alone; without the script only this tells us the page (README).
    '<noscript><meta name="referrer" content="no-referrer-when-downgrade"></noscript>',
    `<script async src="${api.url}/s.js" data-site="corpus" data-consent="full"></script>`,
    `<noscript><img src="${api.url}/v1/pixel.gif?propertyId=corpus" alt="" width="1" height="1" referrerpolicy="no-referrer-when-downgrade"></noscript>`,
    form.html
      .replaceAll('{{capture}}', `${api.url}/v1/leads/capture`)
      .replaceAll('{{api}}', api.url)
      .replaceAll('ada@example.com', email),
  ].join('');
  return form.charset
    ? {
        type: `text/html; charset=${form.charset}`,
        body: Buffer.from(`<!doctype html>${html}`, 'latin1'),
      }
    : html;
}

/** The page before may still be on its way somewhere by a script of its own: it arrives first, and then once more. */
async function open(tab: Page, url: string): Promise<void> {
  for (let tries = 10; ; tries -= 1)
    try {
      await tab.goto(url);
      return;
    } catch (error) {
      if (tries === 1 || !/interrupted by another navigation/.test(String(error))) throw error;
      await tab.waitForLoadState();
    }
}

/** Goes to the form's page, presses its button, and returns the status and text of the API's answer. */
async function post(tab: Page, { form, path }: Posted): Promise<{ status: number; text: string }> {
  const answered = tab
    .context()
    .waitForEvent('response', (response) => response.url().startsWith(`${api.url}/v1/leads/capture`));
  await open(tab, site.url + path);
  await tab
    .locator(form.press ?? 'button, [type=submit]')
    .first()
    .click();
  const response = await answered;
  return { status: response.status(), text: await response.text().catch(() => '') };
}

/** Each form once, in several windows, since an answer is told from another by the window it came to. */
async function postAll(all: Posted[], javaScriptEnabled: boolean) {
  const answers = new Map<string, { status: number; text: string }>();
  const waiting = [...all];
  for (const one of all) site.pages.set(one.path, pageOf(one));
  const work = async (context: BrowserContext) => {
    context.setDefaultTimeout(90_000); // four tabs on a busy machine
    const tab = await context.newPage();
    for (let one = waiting.shift(); one; one = waiting.shift()) answers.set(one.email, await post(tab, one));
    await context.close();
  };
  await Promise.all(
    Array.from({ length: TABS }, async () => work(await browser.newContext({ javaScriptEnabled }))),
  );
  return answers;
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';
  const forms = FORMS.filter(({ js }) => javaScriptEnabled || !js);

  test(`${how} each of ${forms.length} forms makes one lead, with its visitor, its source and its page`, async () => {
    const all = forms.map((form, at) => ({
      form,
      email: `form-${at}-${javaScriptEnabled}@example.com`,
      path: `/forms/${javaScriptEnabled ? 'a' : 'b'}${at}`,
    }));
    const answers = await postAll(all, javaScriptEnabled);
    await until('all leads', async () => {
      const found = await rows('select from leads where email_normalized = any ($1)', [
        all.map(({ email }) => email),
      ]);
      return found.length === all.length;
    }).catch(() => {}); // which are missing is said below
    const found = await rows(
      `select email_normalized, count(distinct lead_id)::int as leads, count(submission_id)::int as submissions,
        min(first_visitor_id::text) as visitor, min(first_source) as source, min(path) as path
       from leads left join submissions using (site_id, lead_id) group by 1`,
    );
    const wrong = all.flatMap(({ form, email, path }) => {
      const lead = found.find((one) => one.email_normalized === email);
      const { status } = answers.get(email)!;
      const isRight =
        status < 400 &&
        lead?.leads === 1 &&
        lead.submissions === 1 &&
        lead.visitor &&
        lead.source &&
        (lead.path === (form.holds?.path ?? path) || form.name === UNSEEN);
      return isRight ? [] : [{ form: form.name, path, status, ...lead }];
    });
    assert.deepEqual(wrong, []);
  });
}

const without = (address: string, rest = '') =>
  `<form action="{{capture}}" method="post" novalidate>${address}${rest}<button>Send</button></form>`;
// What stands where the address should be.
const NO_ADDRESS: Record<string, string> = {
  'no such field': without(''),
  'an empty one': without('<input type="email" name="email">'),
  'blanks alone': without('<input name="email" value="   ">'),
  'a name': without('<input name="email" value="Ada">'),
  'an address without its end': without('<input name="email" value="ada@">'),
  'an address without its beginning': without('<input name="email" value="@example.com">'),
  'two addresses': without('<input name="email" value="ada@example.com, grace@example.com">'),
  'an address in another field': without('<input name="message" value="ada@example.com">'),
  'a disabled field': without('<input name="email" value="ada@example.com" disabled>'),
  markup: without('<input name="email" value="&lt;script&gt;alert(1)&lt;/script&gt;">'),
  'a text of 2 000 characters': without(`<input name="email" value="${'a'.repeat(2000)}@example.com">`),
  'a file': `<form action="{{capture}}" method="post" enctype="multipart/form-data"><input type="file" name="email"><button>Send</button></form>`,
  'nothing, as multipart': `<form action="{{capture}}" method="post" enctype="multipart/form-data"><button>Send</button></form>`,
  'nothing, as plain text': `<form action="{{capture}}" method="post" enctype="text/plain"><input name="a" value="b"><button>Send</button></form>`,
};
for (const javaScriptEnabled of [true, false])
  test(`${javaScriptEnabled ? 'with' : 'without'} JavaScript a form without a valid address makes no lead, and a page says so`, async () => {
    const before = (await rows('select from leads')).length;
    const all = Object.entries(NO_ADDRESS).map(([name, html], at) => ({
      form: { name, html },
      email: name,
      path: `/none/${javaScriptEnabled ? 'a' : 'b'}${at}`,
    }));
    const answers = await postAll(all, javaScriptEnabled);
    const wrong = [...answers].filter(
      ([, { status, text }]) => status < 400 || status >= 500 || !/<html[\s\S]*(address|form)/i.test(text),
    );
    assert.deepEqual(wrong, []);
    assert.equal((await rows('select from leads')).length, before);
  });
