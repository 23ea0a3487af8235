// Rows come, are taken back, judged and erased at random, and after each of it what the site says is built anew and held against a
// plain list of what happened: the number of each claim in the window of its receipt, each act, each sum of whole days. Here some
// steps of it; STEPS=10000 walks for long, three sites at a time, each for 250 steps. What it finds names the SEED that walks that site again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Said, startWalk, type Walk, whileNobodyCounts } from '../../../test/claim-walk.ts';
import { PEPPER } from '../../../test/cluster.ts';
import { call, startServer, type TestServer } from '../../../test/server.ts';
import type { Db } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { delayMs } from './acts.ts';
import { type Built, buildSite, type Card } from './build.ts';
import { countClaim, countIn, isOfDays, said as saidOf } from './claims.ts';
import { evidenceOf } from './evidence.ts';
import { claimedBy, findReceipt, type Kept, readId } from './receipts.ts';
import { renderFeed, wishFor } from './render.ts';
import { canonical, isSignedBy, openSigner } from './signing.ts';

const STEPS = Number(process.env.STEPS ?? 40);
const STEPS_A_SITE = 250;
const AT_A_TIME = 3;
const DAY_MS = 86_400_000;
const EDGE_MS = 60_000;
const CARDS_MAX = 10;
const LOOKED_AT_MAX = 60;

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());
const signer = openSigner({ ACCOUNT_KEYS: '', IP_HASH_PEPPER: PEPPER });
const buildParts = { signer, tests: async () => [] };

interface Look {
  db: Db;
  walk: Walk;
  built: Built;
  /** Receipts that were read and checked, which nothing can change. */
  known: Map<string, Kept>;
  /** Whole days were counted again by this step. */
  isCounted: boolean;
  where: string;
}

async function receiptOf({ db, known, where }: Look, card: Card): Promise<{ kept: Kept; isNew: boolean }> {
  const before = known.get(card.receipt);
  if (before) return { kept: before, isNew: false };
  const kept = await findReceipt(db, readId(card.receipt)!);
  assert.ok(kept, where);
  assert.ok(isSignedBy(kept.publicKey, canonical(claimedBy(kept)), kept.signature), where);
  known.set(card.receipt, kept);
  return { kept, isNew: true };
}

/** A number of single rows: as many as there are in the window of its receipt, and no more than there are now. */
async function lookAtCount(look: Look, said: Said, card: Card | undefined): Promise<void> {
  const { walk, built, db, where } = look;
  const length = said.kind === 'live_visitors' ? 5 * 60_000 : said.claim!.days * DAY_MS;
  const now = built.asOf.getTime();
  // on a machine so slow that somebody is about to leave the five minutes they may be in or out: the server dates by its own clock
  if (
    said.kind === 'live_visitors' &&
    walk.rows.some(({ at }) => now - at > length - EDGE_MS && now - at < length + 2 * EDGE_MS)
  )
    return;
  const value = walk.countOf(said, now - length, now);
  assert.equal(card !== undefined, value >= said.claim!.minimum, `${where}: ${value} now`);
  if (!card) return;
  const { kept, isNew } = await receiptOf(look, card);
  const { from, to } = kept.window!;
  assert.equal(card.shown!.value, kept.value, where);
  assert.equal(kept.value, walk.countOf(said, from.getTime(), to.getTime()), `${where}: in its window`);
  assert.ok(kept.value! <= value, `${where}: ${kept.value} of ${value} now`);
  // nothing waits but what only grew since, and of those who are here now nothing
  if (isNew || said.kind === 'live_visitors') assert.equal(kept.value, value, `${where}: new`);
  if (isNew) {
    const { recounted, rows } = await evidenceOf(db, kept, card.notification, null, 500);
    assert.equal(recounted, kept.value, `${where}: behind it`);
    // people are said of orders, and each of those is a row
    const found = walk.counting(said, from.getTime(), to.getTime());
    const behind = said.kind === 'live_visitors' ? new Set(found.map(({ of }) => of)).size : found.length;
    assert.equal(rows.length, behind, `${where}: rows behind it`);
  }
}

/** A sum of whole days: never more than is true, and once they were counted again the truth, as far as it can be known. */
async function lookAtDays(look: Look, said: Said, card: Card | undefined): Promise<void> {
  const { db, walk, built, isCounted, where } = look;
  const { of, minimum } = said.claim!;
  const most = walk.trueOfDays(said, true);
  assert.ok(!card || card.shown!.value <= most, `${where}: ${card?.shown?.value} of at most ${most}`);
  if (card) {
    const { kept } = await receiptOf(look, card);
    const recounted = saidOf(await countIn(db, walk.siteId, said, kept.window!), 'en').value;
    assert.deepEqual([card.shown!.value, recounted], [kept.value, kept.value], where);
  }
  if (!isCounted) return;
  const { value, window } = await countClaim(db, walk.siteId, said, built.asOf);
  const truth = walk.trueOfDays(said);
  assert.ok(value <= truth, `${where}: ${value} of ${truth}`);
  assert.equal(card !== undefined, value >= minimum, `${where}: ${value}`);
  // whose it was an erasure does not tell of these: only how many there were at most is known
  if (of !== 'visitors' && of !== 'event:cta_click') assert.equal(value, truth, where);
  assert.ok(window.to <= built.asOf, where);
}

/** Acts: the newest whose time has come of those that count, of nobody who was erased, judged or wants to be left out. */
async function lookAtActs(look: Look, said: Said, cards: Card[]): Promise<void> {
  const { db, walk, built, where } = look;
  const now = built.asOf.getTime();
  const from = now - said.claim!.days * DAY_MS;
  const isTold = walk.countOf(said, from, now) >= said.claim!.minimum;
  const due = walk
    .counting(said, from, now - 10 * 60_000)
    .filter(({ of }) => of.email !== null)
    .sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1))
    .slice(0, LOOKED_AT_MAX)
    .filter((row) => row.at + delayMs(row.id) <= now && row.of.mayBeShown)
    .slice(0, CARDS_MAX);
  const shown = cards.map(({ act }) => act!.actId);
  // of a lead that sent a form just now nothing is told for ten minutes, which no walk takes
  assert.deepEqual(shown, isTold && said.claim!.of === 'purchases' ? due.map(({ id }) => id) : [], where);
  for (const card of cards) {
    const { kept, isNew } = await receiptOf(look, card);
    assert.deepEqual([kept.value, kept.window, card.act!.name], [1, null, null], where);
    if (!isNew) continue;
    const { recounted, rows } = await evidenceOf(db, kept, card.notification, null, 1);
    assert.deepEqual([recounted, rows], [1, [card.act!.actId]], where);
  }
}

async function lookAll(look: Look): Promise<void> {
  const { walk, built, where } = look;
  for (const [id, said] of walk.said) {
    const cards = built.cards.filter(({ notification }) => notification.notificationId === id);
    const at = { ...look, where: `${where}, ${said.kind} of ${JSON.stringify(said.claim)}` };
    if (said.kind === 'recent_activity') await lookAtActs(at, said, cards);
    else if (isOfDays(said)) await lookAtDays(at, said, cards[0]);
    else await lookAtCount(at, said, cards[0]);
  }
}

/** What pages are told of it, word for word. */
function lookAtWords({ walk, built, where }: Look): void {
  const site = server.services.sites.find(walk.siteId)!;
  const { items } = renderFeed(built, wishFor(built, site, 'en', null));
  assert.equal(items.length, built.cards.length, where);
  for (const [n, { shown, act, notification }] of built.cards.entries()) {
    const { text } = items[n]!.variants[0]!;
    if (act) assert.match(text, /^Someone did it /, where);
    else
      assert.ok(
        text.startsWith(`${saidOf({ ...shown!, isRounded: isOfDays(notification) }, 'en').text} in `),
        `${where}: ${text}`,
      );
  }
}

const generator = (seed: number) => (below: number) => {
  seed = (seed * 48271) % 2147483647;
  return seed % below;
};

/** kinds  of cards that were seen */
async function walkSite(seed: number, steps: number, kinds: Set<string>): Promise<void> {
  const walk = await startWalk(server, generator(seed));
  const site = server.services.sites.find(walk.siteId)!;
  const known = new Map<string, Kept>();
  const told = new Map<string, string>();
  for (let step = 0; step < steps; step += 1) {
    const where = `SEED=${seed}, step ${step}`;
    const isCounted = step === 0 || (await walk.step());
    const look = async (db: Db) => {
      const built = await buildSite(db, site, new Date(), buildParts);
      const seen = { db, walk, built, known, isCounted, where };
      await lookAll(seen);
      lookAtWords(seen);
      for (const { notification, act, receipt } of built.cards) {
        kinds.add(`${notification.kind} of ${notification.claim!.of}`);
        if (act) told.set(receipt, act.actId);
      }
    };
    await whileNobodyCounts(() => inSites(server.database.app, walk.siteId, look));
    // an act that was taken back has no receipt any more
    for (const [receipt, actId] of told) {
      const { isGone, of } = walk.rows.find(({ id }) => id === actId)!;
      if (!isGone && of.isHuman && !of.isErased && of.mayBeShown) continue;
      assert.equal((await call(`${server.url}/v1/proof/${receipt}`)).status, 410, `${where}: ${receipt}`);
      told.delete(receipt);
    }
  }
}

test('random rows, refunds, declines, verdicts, withdrawals and erasures: what is shown is what a recount finds', async (t) => {
  const { SEED } = process.env;
  let seed = Number(SEED ?? (process.env.STEPS ? 1 + Math.floor(Math.random() * 2 ** 31 - 2) : 4711));
  t.diagnostic(`SEED=${seed} STEPS=${STEPS}`);
  const kinds = new Set<string>();
  const sites = Array.from({ length: Math.ceil(STEPS / STEPS_A_SITE) }, (_, n) => {
    const one = { seed, steps: Math.min(STEPS_A_SITE, STEPS - n * STEPS_A_SITE) };
    seed = (seed * 16807) % 2147483647;
    return one;
  });
  let walked = 0;
  const walkOn = async () => {
    for (let site = sites.shift(); site; site = sites.shift()) {
      await walkSite(site.seed, site.steps, kinds);
      walked += site.steps;
      if (STEPS > STEPS_A_SITE) t.diagnostic(`${walked} steps, 0 misses`);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, walkOn));
  for (const claimed of ['leads', 'signups', 'activations', 'purchases', 'reviews', 'visitors', 'page_views'])
    assert.ok(kinds.delete(`count of ${claimed}`), claimed);
  const others = ['count of event:cta_click', 'count of event:tasted', 'live_visitors of visitors'];
  assert.deepEqual([...kinds].sort(), [...others, 'recent_activity of purchases'].sort());
});
