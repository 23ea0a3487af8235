// Who took back that they may be named, and then an older backup is restored: nothing that is answered has them, and a page that
// was open all the while drops them within half a minute. On a real clock, since that is what people are promised.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { launchChromium, until } from '../../../test/chromium.ts';
import { feedOf, newSite, orders, running } from '../../../test/claims.ts';
import { PEPPER } from '../../../test/cluster.ts';
import type { TestDatabase } from '../../../test/database.ts';
import { address } from '../../../test/make.ts';
import { call, startServer, type TestServer } from '../../../test/server.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import { appUrl } from '../../ground/db/migrate.ts';
import { makePool } from '../../ground/db/pool.ts';
import { makeLog } from '../../ground/lib/log.ts';
import { forgetAgain } from '../erasure/forget-again.ts';

/** As it is now, under another name. */
async function copyOf({ ownerUrl }: TestDatabase): Promise<TestDatabase> {
  const of = (name: string) => Object.assign(new URL(ownerUrl), { pathname: `/${name}` }).href;
  const [from, name] = [new URL(ownerUrl).pathname.slice(1), `backup_${randomUUID().slice(0, 8)}`];
  const run = async (...statements: string[]) => {
    const client = new pg.Client(of('postgres'));
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  await run(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${from}'`,
    `create database ${name} template ${from} strategy file_copy`,
  );
  const options = { connectionsMax: 4, statementTimeoutMs: 60_000, log: makeLog('silent') };
  const asApp = await appUrl(of(name), PEPPER);
  const owner = makePool(of(name), { name: 'test-owner', ...options });
  const app = makePool(asApp, { name: 'test-app', ...options });
  return {
    ownerUrl: of(name),
    appUrl: asApp,
    owner,
    app,
    async drop() {
      await owner.end();
      await app.end();
      await run(`drop database ${name} with (force)`);
    },
  };
}

test('whoever took it back before an older backup was restored is in no feed afterwards, and leaves a page that was open within half a minute', async () => {
  let server: TestServer = await startServer();
  const first = server;
  const PORT = new URL(server.url).port;
  const again = (database: TestDatabase) => startServer({ PORT, DATA_DIR: first.folder }, database);
  const browser = await launchChromium();
  const pages = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end(html),
  );
  let html = '';
  let backup: TestDatabase | undefined;
  try {
    const { key, siteId } = await newSite(server);
    const emails = new Map<string, string>();
    for (const name of ['Ada', 'Ben', 'Cem']) {
      const email = address();
      const display = { text: 'May we show your first name?', name };
      const sent = { email, propertyId: key, anonId: randomUUID(), display };
      assert.equal((await call(`${server.url}/v1/leads/capture`, 'POST', sent)).status, 200);
      const occurredAt = new Date(Date.now() - 40 * 60_000).toISOString();
      await orders(server, key, 1, { anonId: undefined, email, occurredAt });
      emails.set(name, email);
    }
    await running(server, key, {
      kind: 'recent_activity',
      name: 'buyers',
      claim: { of: 'purchases', days: 30, minimum: 3 },
      texts: { en: { other: '{name} bought bread {when}' } },
      channels: ['inline', 'page'],
      trigger: { afterMs: 0, scrollPercent: null, exitIntent: false },
    });
    const named = async () =>
      (await feedOf(server, key)).items.map(({ variants }) => variants[0]!.text.split(' ')[0]).sort();
    assert.deepEqual(await named(), ['Ada', 'Ben', 'Cem']);

    await server.stop();
    backup = await copyOf(server.database);
    const since = new Date().toISOString();
    server = await again(server.database);

    html = `<!doctype html><html lang="en"><title>Bread</title><div data-mk-place=""></div>
      <iframe src="${server.url}/v1/feed.html?site=${key}"></iframe><script src="${server.url}/p.js" data-site="${key}"></script>`;
    await new Promise<void>((done) => pages.listen(0, '127.0.0.1', done));
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`);
    const card = page.locator('mk-proof .mk-card');
    await card.waitFor();
    const name = (await card.locator('.mk-text').first().textContent())!.split(' ')[0]!;
    const email = emails.get(name)!;
    /** All that the page says, frames included; one whose server is away says nothing of ours. */
    const seen = async () => {
      const texts = [
        ...(await card.allTextContents()),
        ...(await Promise.all(
          page.frames().map((frame) =>
            frame
              .locator('body')
              .textContent({ timeout: 2000 })
              .catch(() => ''),
          ),
        )),
      ];
      return texts.join('\n');
    };
    await until('the frame names them too', async () => (await seen()).split(`${name} bought`).length === 3);

    const body = { email, show: false, propertyId: key };
    assert.equal((await call(`${server.url}/v1/leads/display`, 'POST', body)).status, 200);
    const toldAt = performance.now();
    await server.stop();
    const standing = async () =>
      (
        await backup!.owner.query(
          'select (display_standing(site_id, lead_id)).action as action from leads where site_id = $1 and email = $2',
          [siteId, email],
        )
      ).rows[0].action;
    assert.equal(await standing(), 'granted', 'the backup does not know');
    // as a restore does before anybody is served
    const { withdrawn } = await forgetAgain(backup.app, {
      journal: join(first.folder, 'journal', 'forgotten.ndjson'),
      since,
      pepper: PEPPER,
      tables: tablesOf(FEATURES),
    });
    assert.equal(withdrawn, 1);
    server = await again(backup);

    const others = [...emails.keys()].filter((one) => one !== name);
    for (let asked = 0; asked < 20; asked += 1) assert.deepEqual(await named(), others);
    await until('the page dropped them', async () => !(await seen()).includes(name), 60_000);
    const ms = performance.now() - toldAt;
    assert.ok(ms <= 30_000, `a promise to people, however busy the machine is: ${Math.round(ms)} ms`);
    await page.reload();
    await card.waitFor();
    assert.ok(!(await seen()).includes(name));
  } finally {
    await browser.close();
    pages.close();
    await server.stop().catch(() => {});
    await backup?.drop();
    await first.end();
  }
});
