// A person looks after their own data by keyboard, without JavaScript, on a small screen, in both languages.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { complaintsOf } from '../../../test/axe.ts';
import { launchChromium } from '../../../test/chromium.ts';
import { address, anon, makeEvent } from '../../../test/make.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { linkToken, newKey } from '../consent/link.ts';
import { hashOfKey } from './links.ts';

const PICTURES = process.env.PICTURES; // a folder: pages are photographed for looking at

let api: TestServer;
let browser: Browser;
before(async () => {
  [api, browser] = await Promise.all([
    startServer({
      SMTP_URL: 'smtp://127.0.0.1:9',
      MAIL_FROM: 'bread@bakery.example',
      PUBLIC_URL: 'https://api.bakery.example',
      PRIVACY_CONTACT_EMAIL: 'privacy@bakery.example',
    }),
    launchChromium(BROWSER),
  ]);
  await call(`${api.url}/v1/sites`, 'POST', { key: 'bakery', name: 'Crumb & Co.' }, admin);
});
after(async () => {
  await browser?.close();
  await api?.end();
});

const rows = async (sql: string, values: unknown[] = []) =>
  (await api.database.owner.query(sql, values)).rows;
const leadOf = async (email: string) =>
  (await rows('select * from leads where email_normalized = $1', [email]))[0];

/** Ada, with all there may be; and a link as only her mail would hold it. */
async function linkOf(email: string): Promise<string> {
  const anonId = anon();
  const { siteId } = api.services.sites.list().find(({ key }) => key === 'bakery')!;
  await call(`${api.url}/v1/events`, 'POST', makeEvent({ propertyId: 'bakery', anonId, path: '/rye' }));
  await call(`${api.url}/v1/leads/capture`, 'POST', {
    email,
    propertyId: 'bakery',
    anonId,
    formName: 'newsletter',
    payload: { name: 'Ada', message: `A very-long-word ${'crumb'.repeat(40)}`, city: 'Montréal' },
    consentStatus: 'express',
    consent: { text: 'Crumb & Co. may write to me, and tell partners.', purposes: ['email', 'partners'] },
  });
  await call(
    `${api.url}/v1/conversions`,
    'POST',
    { propertyId: 'bakery', id: email, kind: 'purchase', email, amount: '1234.50', currency: 'CAD' },
    admin,
  );
  await call(`${api.url}/v1/admin/requests`, 'POST', { propertyId: 'bakery', kind: 'access', email }, admin);
  const key = newKey();
  await rows(
    `insert into your_data_links (site_id, kind, email_normalized, email_hash, asked_by, language, token_hash, expires_at, next_attempt_at)
     values ($1, 'look', $2, '\\x00', '\\x00', 'en', $3, now() + interval '1 hour', null)`,
    [siteId, email, hashOfKey(key)],
  );
  return `${api.url}/v1/your-data/${linkToken(siteId, key)}`;
}

const open = async (options: BrowserContextOptions = {}): Promise<Page> =>
  (await browser.newContext({ javaScriptEnabled: false, ...options })).newPage();

async function photograph(page: Page, name: string) {
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
}

/** Tabs on until what has the focus says so. */
async function tabTo(page: Page, name: string) {
  const wanted = page
    .getByRole('button', { name })
    .or(page.getByLabel(name))
    .or(page.getByRole('link', { name }));
  for (let i = 0; i < 40; i += 1) {
    await page.keyboard.press('Tab');
    if (await wanted.first().evaluate((one) => one === one.ownerDocument.activeElement)) return;
  }
  assert.fail(`no Tab leads to ${name}`);
}

for (const [lang, words] of Object.entries({
  en: {
    mail: 'Mail me the link',
    inbox: 'Look into your mailbox',
    partners: 'partners',
    withdraw: 'Withdraw',
    withdrawn: 'Done: withdrawn.',
    name: 'Name',
    correct: 'Correct the name',
    changed: 'Done: the name is corrected.',
    object: 'Tie no visits to me',
    objected: 'Done: no visit is tied',
    delete: 'Delete everything about me …',
    sure: 'Delete everything?',
    yes: 'Yes, delete everything',
    deleted: 'Everything is deleted',
  },
  fr: {
    mail: 'Envoyez-moi le lien',
    inbox: 'Regardez dans votre boîte de courriel',
    partners: 'partners',
    withdraw: 'Retirer',
    withdrawn: 'C’est fait : retiré.',
    name: 'Nom',
    correct: 'Corriger le nom',
    changed: 'C’est fait : le nom est corrigé.',
    object: 'Ne me rattachez aucune visite',
    objected: 'C’est fait : aucune visite',
    delete: 'Supprimer tout à mon sujet…',
    sure: 'Tout supprimer ?',
    yes: 'Oui, tout supprimer',
    deleted: 'Tout est supprimé',
  },
})) {
  test(`by keyboard and without JavaScript (${lang}) everything works, from asking to deleting`, async () => {
    const email = address();
    const link = `${await linkOf(email)}?lang=${lang}`;
    const page = await open();
    await page.goto(`${api.url}/v1/your-data?propertyId=bakery&lang=${lang}`);
    await page.keyboard.press('Tab');
    await page.keyboard.type(email);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: words.inbox }).waitFor();
    const [{ count }] = await rows(
      'select count(*)::int as count from your_data_links where email_normalized = $1 and token_hash is null',
      [email],
    );
    assert.equal(count, 1);

    await page.goto(link);
    await tabTo(page, words.partners);
    await page.keyboard.press('Space');
    await tabTo(page, words.withdraw);
    await page.keyboard.press('Enter');
    await page.getByText(words.withdrawn).waitFor();
    await tabTo(page, words.name);
    await page.keyboard.press('Control+A');
    await page.keyboard.type('Ada Lovelace');
    await page.keyboard.press('Enter');
    await page.getByText(words.changed).waitFor();
    await tabTo(page, words.object);
    await page.keyboard.press('Enter');
    await page.getByText(words.objected).waitFor();
    const lead = await leadOf(email);
    assert.deepEqual([lead.attributes.name, lead.no_profiling], ['Ada Lovelace', true]);
    const standing = await rows('select purpose, status from consent_standings($1, $2)', [
      lead.site_id,
      lead.lead_id,
    ]);
    assert.deepEqual(standing, [
      { purpose: 'email', status: 'express' },
      { purpose: 'partners', status: 'withdrawn' },
    ]);

    await tabTo(page, words.delete);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: words.sure }).waitFor();
    await tabTo(page, words.yes);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: words.deleted }).waitFor();
    assert.equal(await leadOf(email), undefined);
    await page.context().close();
  });

  test(`axe-core finds nothing on any of its pages (${lang}), light or dark, and 320 pixels are wide enough`, async () => {
    const email = address();
    const link = await linkOf(email);
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await open({
        javaScriptEnabled: true,
        bypassCSP: true,
        colorScheme,
        viewport: { width: 320, height: 640 },
      });
      const looked = async (name: string) => {
        await photograph(page, `${name}-${lang}-${colorScheme}`);
        assert.deepEqual(await complaintsOf(page), [], `${name}, ${colorScheme}`);
        const wide = await page.locator('html').evaluate((html) => html.scrollWidth);
        assert.ok(wide <= 320, `${name} is ${wide} pixels wide`);
      };
      await page.goto(`${api.url}/v1/your-data?propertyId=bakery&lang=${lang}`);
      await looked('ask');
      await page.locator('form').evaluate((form) => form.setAttribute('novalidate', ''));
      await page.getByRole('textbox').fill('nobody');
      await page.getByRole('button').click();
      await page.getByRole('alert').waitFor();
      await looked('ask-wrong');
      await page.getByRole('textbox').fill(email);
      await page.getByRole('button').click();
      await page.getByRole('heading', { name: words.inbox }).waitFor();
      await looked('asked');
      await page.goto(`${link}?lang=${lang}`);
      for (const summary of await page.locator('summary').all()) await summary.click();
      await looked('held');
      await page.getByRole('button', { name: words.withdraw }).click();
      await page.getByRole('status').waitFor();
      await looked('held-notice');
      await page.getByRole('button', { name: words.delete }).click();
      await page.getByRole('heading', { name: words.sure }).waitFor();
      await looked('sure');
      const lead = await leadOf(email);
      const unsubscribe = linkToken(lead.site_id, lead.unsubscribe_key);
      await page.goto(`${api.url}/v1/unsubscribe/${unsubscribe}?lang=${lang}&purpose=partners`);
      await looked('unsubscribe');
      await page.goto(`${api.url}/v1/your-data/nothing?lang=${lang}`);
      await looked('over');
      await page.context().close();
    }
  });
}

test('the button saves everything as a file', async () => {
  const email = address();
  const page = await open();
  await page.goto(await linkOf(email));
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download everything' }).click(),
  ]);
  assert.match(file.suggestedFilename(), /^my-data-[0-9a-f]{8}\.json$/);
  const { subject } = JSON.parse(readFileSync((await file.path())!, 'utf8'));
  assert.equal(subject.lead.email, email);
  await page.context().close();
});
