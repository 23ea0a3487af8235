// The words beside a box: filled in from the site's settings, looked over, and lawful wherever we show how it is done.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { composeWords, missingInWords } from './compose.ts';

const bakery = {
  name: 'Crumb & Co.',
  address: '12 Oven Lane, Toronto ON M5V 2T6, Canada',
  contact: 'hello@crumb.example',
};

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const pathsOf = (words: string, sender = bakery as Parameters<typeof missingInWords>[1]) =>
  missingInWords(composeWords(words, sender), sender).map(
    ({ path, message }) => `${path} ${message.split(/[ (]/, 4).join(' ')}`,
  );

test('words that do not say who asks, where they are, how to reach them or that it can be taken back are told so', () => {
  assert.deepEqual(pathsOf('{sender} may write to me. I can withdraw at any time.'), []);
  assert.equal(pathsOf('Send me news.').length, 4);
  assert.deepEqual(
    pathsOf('Crumb & Co. may write to me; I can unsubscribe.').length,
    2,
    'no address, no contact',
  );
  assert.deepEqual(pathsOf('{sender} may write to me.').length, 1);
  const nowhere = { ...bakery, address: null, contact: null };
  assert.deepEqual(
    missingInWords('Crumb & Co. may write to me; I can withdraw.', nowhere).map(({ path }) => path),
    ['settings.senderAddress', 'settings.senderContact'],
  );
});

test('that consent can be withdrawn is read in both languages, and not where it is not said', () => {
  for (const said of [
    'I can stop it at any time.',
    'You may unsubscribe whenever you like.',
    'At any time I can cancel.',
    'I may withdraw my consent.',
    'You can opt out.',
    'Je peux retirer mon consentement.',
    'Je peux me désabonner.',
    'Je peux me désinscrire quand je veux.',
    'Je peux arrêter à tout moment.',
    'À tout moment, je peux annuler.',
  ])
    assert.deepEqual(pathsOf(`{sender}. ${said}`), [], said);
  for (const unsaid of [
    'Send me news.',
    'We write at any time of the day.',
    'Écrivez-moi à tout moment.',
    'Non-stop offers.',
  ])
    assert.equal(pathsOf(`{sender}. ${unsaid}`).length, 1, unsaid);
});

test('a published text has the sender filled in as the site says it then, and warnings for what is missing', async () => {
  const { siteId } = server.services.sites.fallback();
  const site = `${server.url}/v1/sites/${siteId}`;
  const publish = async (body: Record<string, unknown>) =>
    (await call(`${site}/consent-texts`, 'POST', body, admin)).body;
  const bare = await publish({ name: 'letter', words: 'Send me news.' });
  assert.equal(bare.text.language, 'und', 'nobody said which');
  assert.deepEqual(
    bare.warnings.map(({ path }: { path: string }) => path),
    ['words', 'settings.senderAddress', 'settings.senderContact', 'words'],
  );
  await call(
    site,
    'PATCH',
    {
      settings: {
        senderName: bakery.name,
        senderAddress: bakery.address,
        senderContact: bakery.contact,
        language: 'fr',
      },
    },
    admin,
  );
  const words = '{sender} peut m’écrire. Je peux retirer ce consentement à tout moment.';
  const whole = await publish({ name: 'letter', words });
  assert.equal(whole.warnings, undefined);
  assert.equal(whole.text.language, 'fr');
  assert.equal(
    whole.text.words,
    'Crumb & Co., 12 Oven Lane, Toronto ON M5V 2T6, Canada, hello@crumb.example peut m’écrire. Je peux retirer ce consentement à tout moment.',
  );
  await call(site, 'PATCH', { settings: { senderName: 'Great Flour Corp' } }, admin);
  const { texts } = (await call(`${site}/consent-texts`, 'GET', undefined, admin)).body;
  assert.ok(
    texts.some((text: { words: string }) => text.words === whole.text.words),
    'what was shown stays as it was',
  );
  assert.equal(
    (await call(`${site}/consent-texts`, 'POST', { name: 'x', words: '{sender}'.repeat(300) }, admin)).status,
    400,
  );
});

test('words that a form sent along without publishing them are looked at too: the status counts those that lack something', async () => {
  const read = async () =>
    (await call(`${server.url}/v1/admin/status`, 'GET', undefined, admin)).body.formWords;
  const capture = async (text: string) => {
    const answer = await call(`${server.url}/v1/leads/capture`, 'POST', {
      email: `${randomUUID()}@example.com`,
      anonId: randomUUID(),
      consentStatus: 'express',
      consent: { text },
    });
    assert.equal(answer.status, 200);
  };
  assert.deepEqual(await read(), { looked: 0, lacking: 0 });
  await capture(
    `Great Flour Corp, ${bakery.address}, ${bakery.contact} may write to me. I can withdraw this at any time.`,
  );
  assert.deepEqual(await read(), { looked: 1, lacking: 0 });
  await capture('Send me offers.');
  assert.deepEqual(await read(), { looked: 2, lacking: 1 });
  const { body } = await call(`${server.url}/v1/admin/status`, 'GET', undefined, admin);
  const line = body.lines.find(({ name }: { name: string }) => name === 'formWords');
  assert.match(line.text, /^1 of 2 wordings/);
});

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** Each form, or the part of one, that a page of ours shows or is: what is sent to the API, by the file it stands in. */
function formsWeShow(): { path: string; form: string }[] {
  const paths = globSync(['README.md', 'docs/**/*.md', 'api/src/**/*.md', 'api/demo/**/*.html'], {
    cwd: root,
    exclude: ['**/node_modules/**'],
  }).sort();
  return paths.flatMap((path) => {
    const text = readFileSync(join(root, path), 'utf8').replaceAll('&amp;', '&');
    const whole = [...text.matchAll(/<form\b[^>]*>[\s\S]*?<\/form>/g)].map(([form]) => form);
    const parts = [...text.matchAll(/^```html\n([\s\S]*?)^```/gm)].flatMap(([, code]) =>
      code!
        .replace(/<form\b[^>]*>[\s\S]*?<\/form>/g, '')
        .split(/\n\s*\n/)
        .filter((part) => /name="(?:consent|display)/.test(part)),
    );
    const sent = whole.filter((form) => /<form\b[^>]*action="[^"]*\/v1\//.test(form));
    return [...sent, ...parts].map((form) => ({ path, form }));
  });
}

test('every form we show how to write leads to the notice', () => {
  const forms = formsWeShow();
  for (const path of [
    'README.md',
    'docs/social-proof.md',
    'api/demo/pages/newsletter.html',
    'api/demo/pages/infolettre.html',
  ])
    assert.ok(
      forms.some((one) => one.path === path),
      path,
    );
  assert.deepEqual(
    forms.filter(({ form }) => !/href="[^"]*\/v1\/privacy/.test(form)),
    [],
  );
});

test('every form we show how to write asks as the law wants it, and sends along exactly the words beside its box', () => {
  const languages: string[] = [];
  let asked = 0;
  for (const { path, form } of formsWeShow()) {
    const boxes = [...form.matchAll(/name="consentStatus" value="express"[^>]*>\s*(?:<span>)?([^<]+)/g)].map(
      ([, words]) => words!.trim(),
    );
    const sent = [...form.matchAll(/name="consent\[text\]" value="([^"]+)"/g)].map(([, words]) => words!);
    assert.deepEqual(sent, boxes, path);
    asked += boxes.length;
    // a box that allows being named sends its own words as its value
    for (const [, value, beside] of form.matchAll(/name="display\[text\]" value="([^"]+)">\s*([^<]+)/g))
      assert.equal(beside!.trim(), value, path);
    languages.push(
      ...[...form.matchAll(/name="consent\[language\]" value="(\w+)"/g)].map(([, language]) => language!),
    );
    for (const words of boxes) {
      const [, name, address, contact] = /^(.+?) \((.+); (.+?)\)/.exec(words) ?? [];
      assert.deepEqual(
        missingInWords(words, { name: name!, address: address!, contact: contact! }),
        [],
        words,
      );
    }
  }
  assert.ok(asked >= 4, `${asked} boxes`);
  assert.deepEqual([...new Set(languages)].sort(), ['en', 'fr']);
});
