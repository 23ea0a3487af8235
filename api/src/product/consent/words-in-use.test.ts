// Words that a form sent along go when no proof shows them any more: never those that somebody agrees to in this moment.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { address } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { purge as purgeTables } from '../../ground/retention/purge.ts';
import { consentTables } from './tables.ts';

let server: TestServer;
let siteId: string;
before(async () => {
  server = await startServer();
  siteId = server.services.sites.fallback().siteId;
});
after(() => server.end());

const { consent_texts } = consentTables;
/** As every night, of this table alone. */
const purge = () =>
  purgeTables(server.database.app, {
    siteIds: [siteId],
    tables: { consent_texts: consent_texts! },
    endings: {},
    settings: server.services.config,
    dryRun: false,
  });
const erase = (email: string) => call(`${server.url}/v1/leads/delete`, 'POST', { email }, admin);
const agree = (email: string, consent: object) =>
  call(`${server.url}/v1/leads/capture`, 'POST', {
    email,
    anonId: randomUUID(),
    consentStatus: 'express',
    consent: { language: 'en', ...consent },
  });
/** Words of a form, as old as those that the purge takes away. */
async function oldWords(words: string): Promise<string> {
  const { rows } = await server.database.owner.query(
    `insert into consent_texts (site_id, name, version, language, words, words_hash, origin, created_at)
     select $1, 'form:' || encode(sha256(convert_to($2, 'UTF8')), 'hex'), 1, 'en', $2, sha256(convert_to($2, 'UTF8')), 'form', now() - interval '40 days'
     returning text_id`,
    [siteId, words],
  );
  return rows[0].text_id;
}
/** Records whose words are gone. */
const lost = async () =>
  (
    await server.database.owner.query(
      `select d.record_id from consent_details d where d.text_id is not null
       and not exists (select from consent_texts t where t.site_id = d.site_id and t.text_id = d.text_id)`,
    )
  ).rowCount;
const areThere = async (words: string) =>
  (await server.database.owner.query('select from consent_texts where words = $1', [words])).rowCount === 1;

for (const by of ['its words', 'its id'])
  test(`a form that is being stored keeps the words it names by ${by}, while the purge runs`, async () => {
    const words = `Write to me, says who is named by ${by}.`;
    const textId = await oldWords(words);
    const email = address();
    assert.equal((await agree(email, { text: 'Other words.' })).status, 200);
    await inSites(server.database.app, siteId, async (db) => {
      const consent = {
        status: 'express',
        basis: 'form',
        language: 'en',
        ...(by === 'its id' ? { text_id: textId } : { words }),
      };
      await db.query(
        `select record_consent($1, lead_id, $3) from leads where site_id = $1 and email_normalized = $2`,
        [siteId, email, JSON.stringify(consent)],
      );
      assert.deepEqual((await purge()).rows, { consent_texts: 0 });
    });
    assert.ok(await areThere(words));
    assert.equal(await lost(), 0);
  });

test('an erasure of who alone agreed to the words waits for who agrees to them now, named either way', async () => {
  for (const by of ['text', 'textId']) {
    const words = `Both of us, by ${by}.`;
    const textId = await oldWords(words);
    const [going, coming] = [address(), address()];
    await agree(going, { text: words });
    await agree(coming, { text: 'Other words.' });
    let erased: ReturnType<typeof erase> | undefined;
    await inSites(server.database.app, siteId, async (db) => {
      const consent = {
        status: 'express',
        basis: 'form',
        language: 'en',
        ...(by === 'text' ? { words } : { text_id: textId }),
      };
      await db.query(
        `select record_consent($1, lead_id, $3) from leads where site_id = $1 and email_normalized = $2`,
        [siteId, coming, JSON.stringify(consent)],
      );
      erased = erase(going);
      await new Promise((done) => setTimeout(done, 300));
    });
    assert.equal((await erased!).status, 200);
    assert.ok(await areThere(words), by);
    assert.equal(await lost(), 0);
  }
});

test('purge, erasures and forms with the same words at once lose no words of a proof', async () => {
  const words = 'Everybody at once.';
  for (let round = 0; round < 8; round += 1) {
    await server.database.owner.query('delete from consent_texts where words = $1', [words]).catch(() => {});
    if (!(await areThere(words))) await oldWords(words);
    const [going, coming, also] = [address(), address(), address()];
    await agree(going, { text: words });
    await server.database.owner.query(
      "update consent_texts set created_at = now() - interval '40 days' where words = $1",
      [words],
    );
    const [, ...answers] = await Promise.all([
      purge(),
      erase(going),
      agree(coming, { text: words }),
      agree(also, { text: words }),
    ]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal(await lost(), 0, `round ${round}`);
    for (const email of [coming, also]) await erase(email);
  }
});
