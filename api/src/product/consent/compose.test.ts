// The words beside a box: filled in from the site's settings, looked over, and lawful wherever we show how it is done.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
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

const READ_BY_PEOPLE = [
  '../../../../README.md',
  '../snippet/README.md',
  '../../../demo/pages/newsletter.html',
];

test('every form we show how to write asks as the law wants it, and sends along exactly the words beside its box', () => {
  const languages: string[] = [];
  for (const path of READ_BY_PEOPLE) {
    const page = readFileSync(new URL(path, import.meta.url), 'utf8').replaceAll('&amp;', '&');
    const boxes = [...page.matchAll(/name="consentStatus" value="express"[^>]*>\s*(?:<span>)?([^<]+)/g)].map(
      ([, words]) => words!.trim(),
    );
    const sent = [...page.matchAll(/name="consent\[text\]" value="([^"]+)"/g)].map(([, words]) => words!);
    assert.ok(boxes.length > 0, path);
    assert.deepEqual(sent, boxes, path);
    assert.match(page, /\/v1\/privacy/, `${path} leads to the notice`);
    languages.push(
      ...[...page.matchAll(/name="consent\[language\]" value="(\w+)"/g)].map(([, language]) => language!),
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
  assert.deepEqual([...new Set(languages)].sort(), ['en', 'fr']);
});
