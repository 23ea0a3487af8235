// Notifications: drafts, versions, their life, and words that claim nothing that is not counted.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { ago, hours } from '../../../test/make.ts';
import { admin, call, QUICK_FEEDS, startServer, type TestServer } from '../../../test/server.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { followSchedules } from './on-schedule.ts';
import { isOpen } from './open.ts';
import { checkNotification } from './rules.ts';
import { newNotification, notificationShape } from './schema.ts';
import { fill, holdsNumber } from './texts.ts';

let server: TestServer;
let siteId: string;
before(async () => {
  server = await startServer({}, undefined, undefined, QUICK_FEEDS);
  siteId = server.services.sites.fallback().siteId;
});
after(() => server.end());

const url = (path = '') => `${server.url}/v1/sites/default/notifications${path}`;
const COUNT = {
  kind: 'count',
  name: 'buyers',
  claim: { of: 'purchases', where: { product: 'sourdough' }, days: 30, minimum: 5 },
  texts: {
    en: {
      one: '{count} person bought this in {days} days',
      other: '{count} people bought this in {days} days',
    },
  },
};
const make = (more: object = {}) => call(url(), 'POST', { ...COUNT, ...more }, admin);
async function made(more: object = {}): Promise<string> {
  const { status, body } = await make(more);
  assert.equal(status, 201, JSON.stringify(body));
  return body.notification.notificationId;
}
const patch = (id: string, version: number | null, body: object) =>
  call(url(`/${id}`), 'PATCH', body, { ...admin, ...(version ? { 'if-match': `"${version}"` } : {}) });

test('a notification is made as a draft, with what was left out filled in', async () => {
  const { status, headers, body } = await make();
  assert.deepEqual([status, headers.get('etag')], [201, '"1"']);
  const { notification } = body;
  assert.deepEqual(
    [notification.status, notification.version, notification.channels, notification.madeBy],
    ['draft', 1, ['toast'], 'admin_key'],
  );
  assert.deepEqual(notification.frequency, { perSession: 2, perDay: 4, gapMs: 15000, afterDismissDays: 7 });
  const shown = await call(url(`/${notification.notificationId}`), 'GET', undefined, admin);
  assert.deepEqual(shown.body.notification, notification);
});

test('a change names the version it saw; each is kept, and none can be changed later', async () => {
  const id = await made();
  for (const version of [null, 2]) {
    const { status, body } = await patch(id, version, { name: 'other' });
    assert.deepEqual([status, body.error], [412, 'precondition_failed']);
  }
  const { status, body } = await patch(id, 1, { name: 'other', channels: ['bar'] });
  assert.deepEqual([status, body.notification.version, body.notification.name], [200, 2, 'other']);
  assert.deepEqual(body.notification.texts, COUNT.texts);
  const { rows } = await server.database.owner.query(
    'select version, name from notification_versions where notification_id = $1 order by version',
    [id],
  );
  assert.deepEqual(rows, [
    { version: 1, name: 'buyers' },
    { version: 2, name: 'other' },
  ]);
  await assert.rejects(
    inSites(server.database.app, siteId, (db) => db.query("update notification_versions set name = 'x'")),
    { code: '42501' },
  );
});

test('what each version said is there to read, the newest first, a page at a time', async () => {
  const id = await made();
  await patch(id, 1, { name: 'other', link: { url: '/bread', label: 'Bread' } });
  await patch(id, 2, { status: 'running' });
  const versions = async (query: string) =>
    (await call(url(`/${id}/versions${query}`), 'GET', undefined, admin)).body;
  const first = await versions('?limit=2');
  const said = (all: Record<string, unknown>[]) => all.map((one) => [one.version, one.status, one.name]);
  assert.deepEqual(said(first.versions), [
    [3, 'running', 'other'],
    [2, 'draft', 'other'],
  ]);
  const rest = await versions(`?limit=2&cursor=${first.nextCursor}`);
  assert.deepEqual([said(rest.versions), rest.nextCursor], [[[1, 'draft', 'buyers']], null]);
  const [oldest] = rest.versions;
  assert.deepEqual(
    [oldest.texts, oldest.claim, oldest.link, oldest.channels, oldest.madeBy],
    [COUNT.texts, COUNT.claim, null, ['toast'], 'admin_key'],
  );
  assert.ok(Date.parse(oldest.madeAt) <= Date.parse(first.versions[0].madeAt));
  for (const cursor of ['x', Buffer.from('[9007199254740991]').toString('base64url')])
    assert.equal((await call(url(`/${id}/versions?cursor=${cursor}`), 'GET', undefined, admin)).status, 400);
  assert.equal((await call(url(`/${randomUUID()}/versions`), 'GET', undefined, admin)).status, 404);
});

test('a life goes from draft through running and paused to ended, and no other way', async () => {
  const id = await made();
  const steps: [string, number][] = [
    ['paused', 409],
    ['ended', 409],
    ['scheduled', 409],
    ['running', 200],
    ['paused', 200],
    ['running', 200],
    ['ended', 200],
    ['running', 409],
  ];
  let version = 1;
  for (const [status, expected] of steps) {
    const answer = await patch(id, version, { status });
    assert.equal(answer.status, expected, status);
    if (expected === 200) version += 1;
  }
  assert.equal((await patch(id, version, { name: 'late' })).status, 409);
  const remove = (one: string, seen: number) =>
    call(url(`/${one}`), 'DELETE', undefined, { ...admin, 'if-match': `"${seen}"` });
  assert.equal((await remove(id, version)).status, 409);
  const draft = await made();
  assert.equal((await remove(draft, 1)).status, 200);
  assert.equal((await call(url(`/${draft}`), 'GET', undefined, admin)).status, 404);
});

test('what begins later is scheduled until then, and ends when its schedule does', async () => {
  const id = await made({ schedule: { from: ago(-hours(1)), to: ago(-hours(2)) } });
  assert.equal((await patch(id, 1, { status: 'running' })).body.notification.status, 'scheduled');
  const follow = () => followSchedules({ db: server.database.app, sites: { ids: () => [siteId] } });
  assert.deepEqual(await follow(), { changed: 0 });
  assert.equal((await patch(id, 2, { schedule: { from: ago(hours(1)), to: ago(-hours(2)) } })).status, 200);
  assert.deepEqual(await follow(), { changed: 1 });
  const { body } = await call(url(`/${id}`), 'GET', undefined, admin);
  assert.deepEqual([body.notification.status, body.notification.madeBy], ['running', 'machine']);
  const noted = await server.database.owner.query(
    'select actor, action, outcome, details from audit_log where site_id = $1 and target = $2 and actor = $3',
    [siteId, id, 'machine'],
  );
  assert.deepEqual(noted.rows, [
    { actor: 'machine', action: 'job notifications', outcome: 200, details: { status: 'running' } },
  ]);
  await patch(id, 4, { schedule: { from: null, to: ago(hours(1)) } });
  assert.deepEqual(await follow(), { changed: 1 });
  assert.deepEqual(await follow(), { changed: 0 });
});

test('weekdays and hours are those of the schedule’s zone', () => {
  const { schedule } = notificationShape.shape;
  const at = Date.parse('2026-11-27T03:30:00Z'); // Thursday 22:30 in Toronto
  const cases: [object, boolean][] = [
    [{}, true],
    [{ weekdays: [4] }, true],
    [{ weekdays: [5] }, false],
    [{ timeZone: 'UTC', weekdays: [5] }, true],
    [{ hours: [{ from: 22, to: 24 }] }, true],
    [{ hours: [{ from: 9, to: 17 }] }, false],
    [{ from: '2026-11-27T03:30:00Z' }, true],
    [{ to: '2026-11-27T03:30:00Z' }, false],
  ];
  for (const [given, open] of cases)
    assert.equal(isOpen(schedule.parse(given), 'America/Toronto', at), open, JSON.stringify(given));
});

test('what rules of today would not take is paused and ended all the same, and not started or changed', async () => {
  const id = await made({ name: 'of before' });
  assert.equal((await patch(id, 1, { status: 'running' })).status, 200);
  await server.database.owner.query(
    `update notification_versions set texts = '{"en": {"other": "Hundreds trust us: {count} in {days} days"}}' where notification_id = $1`,
    [id],
  );
  assert.equal((await patch(id, 2, { status: 'paused' })).status, 200);
  for (const changes of [{ status: 'running' }, { priority: 2 }]) {
    const { status, body } = await patch(id, 3, changes);
    assert.deepEqual([status, body.error], [422, 'unbacked_claim'], JSON.stringify(changes));
  }
  assert.equal((await patch(id, 3, { status: 'ended' })).status, 200);
});

test('words that are a number in another language only, or only look like one, are words', async () => {
  const english = COUNT.texts.en;
  const label = { url: '/shop', label: 'Go to the shop' };
  const danish = { other: '{count} på {days} dage' };
  const both = await make({ texts: { en: english, da: danish }, link: label });
  assert.equal(both.status, 201, JSON.stringify(both.body));
  for (const [language, word] of [
    ['pt', 'em dezembro'],
    ['it', 'come diciamo'],
    ['tr', 'yüz kremi'],
    ['ru', 'без красот'],
  ] as const) {
    const { status, body } = await make({ texts: { [language]: { other: `{count} ${word}, {days}` } } });
    assert.equal(status, 201, JSON.stringify(body));
  }
});

test('a number that is typed where one is counted is refused, however it is written', async () => {
  const unbacked = ['5', '٣', '½', '②', 'Ⅷ', '𝟗', '🔟', '10k', '５'];
  for (const number of unbacked) {
    const { status, body } = await make({
      texts: { en: { other: `{count} people in {days} days, ${number} of them twice` } },
    });
    assert.deepEqual(
      [status, body.error, body.issues[0].path],
      [422, 'unbacked_claim', 'texts.en.other'],
      number,
    );
  }
  const label = await make({ link: { url: '/shop', label: 'Join 500 others' } });
  assert.deepEqual([label.status, label.body.issues[0].path], [422, 'link.label']);
  const message = { kind: 'message', name: 'm', texts: { en: { other: 'Baking since 1987' } } };
  const bare = await call(url(), 'POST', message, admin);
  assert.deepEqual([bare.status, bare.body.issues[0].path], [422, 'source']);
  const source = { url: 'https://bakery.example/about', statedOn: '2026-01-31' };
  assert.equal((await call(url(), 'POST', { ...message, source }, admin)).status, 201);
});

test('what cannot be is refused with the path of its field', async () => {
  const en = (other: string) => ({ texts: { en: { other } } });
  const cases: [object, string][] = [
    [{ claim: null }, 'claim'],
    [{ claim: { of: 'purchases', minimum: 2 } }, 'claim.minimum'],
    [{ claim: { of: 'purchases', days: 91 } }, 'claim.days'],
    [{ claim: { of: 'purchases', value: 500 } }, 'claim'],
    [{ claim: { of: 'leads', where: { product: 'x' } } }, 'claim.where.product'],
    [{ kind: 'live_visitors' }, 'claim.of'],
    [en('{count} people'), 'texts.en.other'],
    [en('{count} in {days} by {name}'), 'texts.en.other'],
    [en('{count} in {days} {x'), 'texts.en.other'],
    [en('{count} in {days} \u202Edesrever'), 'texts.en.other'],
    [en('x'.repeat(201)), 'texts.en.other'],
    [{ texts: { en: { few: '{count} in {days}', other: '{count} in {days}' } } }, 'texts.en.few'],
    [{ texts: { klingon: { other: '{count} in {days}' } } }, 'texts.klingon'],
    [{ texts: {} }, 'texts'],
    [{ link: { url: 'javascript:alert(1)', label: 'x' } }, 'link.url'],
    [{ link: { url: '//elsewhere.example', label: 'x' } }, 'link.url'],
    [{ templateId: randomUUID() }, 'templateId'],
    [{ source: { url: 'https://x.example', statedOn: '2026-01-01' } }, 'source'],
    [{ schedule: { hours: [{ from: 9, to: 9 }] } }, 'schedule.hours.0'],
    [{ schedule: { timeZone: 'Mars/Base' } }, 'schedule.timeZone'],
    [{ targeting: { include: ['shop'] } }, 'targeting.include.0'],
  ];
  for (const [more, path] of cases) {
    const { status, body } = await make(more);
    assert.deepEqual([status, body.issues?.[0].path], [400, path], JSON.stringify(more));
  }
});

test('random texts hold a number outside of placeholders or are found to hold none', () => {
  const parts = ['people ', '{count}', '{days}', 'é', '中', ' — ', '7', '１', '¾', '{', 'and ', '٤', '🙂'];
  let seed = 12345;
  const next = () => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  };
  for (let round = 0; round < 5000; round += 1) {
    const chosen = Array.from({ length: 6 }, () => parts[Math.floor(next() * parts.length)]!);
    const typed = chosen.some((part) => ['7', '１', '¾', '٤'].includes(part));
    assert.equal(holdsNumber(chosen.join(''), 'en'), typed, chosen.join(''));
  }
});

// by language: words that say no number, and the same with one
const NUMBER_WORDS: Record<string, string[]> = {
  en: ['two', 'Thirteen', 'TWENTY-five', 'hundreds', 'a thousand', 'Millions', 'dozens'],
  fr: ['deux', 'Quatre-vingts', 'des centaines', 'mille', 'une douzaine', 'trois millions'],
  de: ['zwei', 'Fünfhundert', 'tausende', 'zweiundzwanzig', 'ein Dutzend'],
  es: ['tres', 'doscientas', 'miles', 'veintidós', 'un millón'],
  it: ['quattro', 'duecento', 'migliaia', 'una dozzina'],
  nl: ['drie', 'honderden', 'vijfentwintig'],
  pt: ['duas', 'trezentos', 'milhões'],
  sv: ['fem', 'Femhundra', 'tusentals'],
  da: ['to', 'halvtreds', 'hundredvis'],
  nb: ['sju', 'tusenvis'],
  fi: ['kolme', 'kymmeniä', 'tuhansia'],
  pl: ['pięć', 'tysiące', 'dwanaście'],
  cs: ['čtyři', 'desítky', 'dvacet'],
  uk: ['п’ять', 'тисячі', 'п’ятсот'],
  ru: ['три', 'пятьсот', 'Тысячи'],
  tr: ['beş', 'yüzlerce', 'binlerce'],
  ar: ['خمسة', 'مئات', 'آلاف'],
  he: ['שלושה', 'מאות', 'אלפי'],
  ko: ['다섯 명', '오백 명', '수천 명'],
  ja: ['三人', '五百', '数千人'],
  zh: ['十几位', '三千', '两万'],
};
const QUIET = ['…', '·', '–', 'é', 'ß', '🙂', '!', '“', '”', '’', '-', ','];
/** All that Unicode calls a number, but for what our text fields refuse for other reasons. */
const NUMERALS = Array.from({ length: 0x1ffff }, (_, code) => code)
  .filter((code) => /\p{N}/u.test(String.fromCodePoint(code)))
  .map((code) => String.fromCodePoint(code));

test('of random texts none that holds a number, in digits or words of any script, is taken without its source', async (t) => {
  const isLong = process.argv.includes('--long') || process.env.LONG !== undefined;
  const rounds = isLong ? 100_000 : 3000;
  let seed = Number(process.env.SEED ?? 1 + Math.floor(Math.random() * 2 ** 31 - 2));
  t.diagnostic(`SEED=${seed} rounds=${rounds}`);
  const next = (below: number) => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  const one = <Some>(of: readonly Some[]): Some => of[next(of.length)]!;
  const shapes = [
    { kind: 'count', claim: COUNT.claim, needs: ['{count}', '{days}'] },
    { kind: 'live_visitors', claim: { of: 'visitors' }, needs: ['{count}', '{minutes}'] },
    { kind: 'recent_activity', claim: { of: 'purchases' }, needs: ['{name}'] },
    { kind: 'review', claim: { of: 'reviews' }, needs: [] },
  ];
  const source = { url: 'https://bakery.example/about', statedOn: '2026-01-31' };
  const refusal = (content: object): string | null => {
    const read = newNotification.safeParse(content);
    if (!read.success) return `no shape: ${read.error.message}`;
    try {
      checkNotification(read.data);
      return null;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  let sent = 0;
  for (let round = 0; round < rounds; round += 1) {
    const language = one(Object.keys(NUMBER_WORDS));
    const { kind, claim, needs } = one(shapes);
    const number = next(2) === 0 ? one(NUMERALS) : one(NUMBER_WORDS[language]!);
    const parts = [...needs, ...Array.from({ length: 1 + next(6) }, () => one(QUIET))];
    for (let i = parts.length - 1; i > 0; i -= 1) {
      const j = next(i + 1);
      [parts[i], parts[j]] = [parts[j]!, parts[i]!];
    }
    const place = next(parts.length + 1);
    const words = (all: string[]) => all.join(' ');
    const typed = words([...parts.slice(0, place), number, ...parts.slice(place)]);
    const inLabel = next(8) === 0;
    const content = (text: string, label: string) => ({
      kind,
      name: 'any',
      claim,
      texts: { [language]: { other: text } },
      link: { url: 'https://bakery.example/', label },
    });
    const honest = content(words(parts), 'See');
    const claiming = inLabel ? content(words(parts), `See ${number}`) : content(typed, 'See');
    const which = JSON.stringify(claiming);
    assert.equal(refusal(honest), null, JSON.stringify(honest));
    assert.equal(refusal(claiming), 'unbacked_claim', which);
    const message = { kind: 'message', name: 'any', texts: { [language]: { other: number } } };
    assert.equal(refusal(message), 'unbacked_claim');
    assert.equal(refusal({ ...message, source }), null, number);
    if (sent < 300 && next(rounds) < 400) {
      sent += 1;
      const { status, body } = await call(url(), 'POST', claiming, admin);
      assert.deepEqual([status, body.error], [422, 'unbacked_claim'], which);
    }
  }
  assert.ok(sent > 100, `${sent} were sent`);
});

test('a text whose value is not there says nothing', () => {
  assert.equal(fill('{name} from {place}', { name: 'Ada', place: null }), null);
  assert.equal(fill('{name} from {place}', { name: 'Ada', place: '{name}' }), 'Ada from {name}');
});

test('a site has at most twenty at work, and fifty that are not over', async () => {
  const own = await call(`${server.url}/v1/sites`, 'POST', { key: 'crowded' }, admin);
  const at = `${server.url}/v1/sites/${own.body.site.siteId}/notifications`;
  const ids: string[] = [];
  for (let i = 0; i < 50; i += 1)
    ids.push((await call(at, 'POST', COUNT, admin)).body.notification.notificationId);
  assert.equal((await call(at, 'POST', COUNT, admin)).status, 409);
  const statuses: number[] = [];
  for (const id of ids.slice(0, 21))
    statuses.push(
      (await call(`${at}/${id}`, 'PATCH', { status: 'running' }, { ...admin, 'if-match': '"1"' })).status,
    );
  assert.deepEqual(statuses, [...Array(20).fill(200), 409]);
  await call(`${at}/${ids[0]}`, 'PATCH', { status: 'ended' }, { ...admin, 'if-match': '"2"' });
  assert.equal((await call(at, 'POST', COUNT, admin)).status, 201);
});

test('who listens is told what became of a notification, with its change, by hand and by its schedule', async () => {
  const { outbox } = server.services;
  await outbox.listenADay(siteId);
  const { lastSeq } = await outbox.ends(siteId);
  const id = await made();
  await patch(id, 1, { name: 'other' });
  assert.equal((await patch(id, 1, { name: 'stale' })).status, 412);
  await patch(id, 2, { schedule: { from: ago(-hours(1)) } });
  await patch(id, 3, { status: 'scheduled' });
  await server.database.owner.query(
    `update notification_versions set settings = jsonb_set(settings, '{schedule,from}', to_jsonb($2::text))
     where notification_id = $1 and version = 4`,
    [id, ago(hours(1))],
  );
  await followSchedules(server.services);
  await patch(id, 5, { status: 'ended' });
  const draft = await made();
  await call(url(`/${draft}`), 'DELETE', undefined, { ...admin, 'if-match': '"1"' });
  const told = (await outbox.read(siteId, lastSeq, 100)).filter(
    ({ type }) => type === 'notification.updated',
  );
  assert.deepEqual(
    told.map(({ data }) => [data.notificationId, data.version, data.status]),
    [
      [id, 1, 'draft'],
      [id, 2, 'draft'],
      [id, 3, 'draft'],
      [id, 4, 'scheduled'],
      [id, 5, 'running'],
      [id, 6, 'ended'],
      [draft, 1, 'draft'],
      [draft, 1, 'deleted'],
    ],
  );
});
