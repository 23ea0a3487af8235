// Whatever anybody sends, to whatever route, in whichever field: an answer of the 2xx to 4xx, and never a fault of ours.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomOf } from '../demo/traffic.ts';
import { pathOf } from '../src/ground/http/route.ts';
import { makeLog } from '../src/ground/lib/log.ts';
import { type Example, examplesOf } from './examples.ts';
import { ODD_TEXTS, ODD_VALUES } from './odd.ts';
import { send } from './send.ts';
import { admin, startServer, type TestServer } from './server.ts';
import { makePlace, type Place, WORLD_SETTINGS } from './world.ts';

const SEED = Number(process.env.SEED ?? 20260314);
const TRIES = Number(process.env.TRIES ?? 3);
const random = randomOf(SEED);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;

const OFTEN = ['0000-01-01', '9999-12-31', '\0', '-1', '99999999999999999999999999'];

let server: TestServer;
let place: Place;
const faults: string[] = [];
before(async () => {
  server = await startServer(WORLD_SETTINGS, undefined, makeLog('silent'));
  place = await makePlace(server, 'bakery');
});
after(() => server.end());

/** The example with one field changed, each field in turn; and with one more that it does not have. */
function* twisted(example: Example): Generator<Example> {
  for (const part of ['path', 'query', 'body', 'form'] as const) {
    const fields = example[part];
    if (!fields) continue;
    for (const name of Object.keys(fields)) {
      const odd = part === 'body' ? ODD_VALUES : ODD_TEXTS;
      const values = new Set([pick(OFTEN), ...Array.from({ length: TRIES }, () => pick<unknown>(odd))]);
      for (const value of values) yield { ...example, [part]: { ...fields, [name]: value } } as Example;
    }
  }
}
const MORE = [
  'limit',
  'cursor',
  'q',
  'from',
  'to',
  'since',
  'by',
  'withdrawnSince',
  'propertyId',
  'compareTo',
];

test(`no odd value in any field of any route is a fault of ours (seed ${SEED})`, async () => {
  const examples = examplesOf(place);
  let sent = 0;
  for (const route of server.routes) {
    // what is streamed or writes files is walked elsewhere
    if (/backup|restore/i.test(route.id)) continue;
    for (const example of examples[route.id] ?? []) {
      const tries = [...twisted(example)];
      for (const name of MORE)
        if (route.at.startsWith('GET') && Object.keys(example.query ?? {}).includes(name) === false)
          tries.push({
            ...example,
            query: { ...example.query, [name]: pick([pick(OFTEN), pick(ODD_TEXTS)]) },
          });
      for (const one of tries) {
        if (
          Object.values(one.path ?? {}).some(
            (part) => ['', '.', '..'].includes(String(part).trim()) || !String(part).isWellFormed(),
          )
        )
          continue;
        sent += 1;
        const answer = await send(server, route, one, admin).catch((error: Error) => ({
          status: 599,
          text: String(error.cause ?? error),
        }));
        // 503: what this world has not set up
        if (answer.status >= 500 && answer.status !== 503)
          faults.push(
            `${route.at} ${JSON.stringify(one).slice(0, 300)}: ${answer.status} ${answer.text.slice(0, 120)}`,
          );
      }
    }
  }
  assert.ok(sent > 500, `only ${sent} were sent`);
  assert.deepEqual(faults, []);
});

test('a query that holds NUL or half a letter is read as if it did not', async () => {
  for (const { at, who } of server.routes.filter(
    (route) => route.at.startsWith('GET') && !route.at.includes(':'),
  )) {
    for (const odd of ['q=%00', 'from=%ED%A0%80', 'cursor=%00', '%00=1', 'limit=%00']) {
      const { status } = await fetch(`${server.url}${pathOf({ at })}?${odd}`, {
        headers: who === 'anyone' ? {} : admin,
        redirect: 'manual',
      });
      assert.ok(status < 500 || status === 503, `${at}?${odd}: ${status}`);
    }
  }
});

test('what is cut is cut between letters, wherever it is cut: nothing of it is lost or refused', async () => {
  const email = `cut@${place.key}.example`;
  // 255 is in the middle of a pair, whatever goes before; a path in two spellings is one, so the second form is the first again
  for (const before of ['', 'x'])
    for (const path of [
      `/?utm_campaign=${before}${'😀'.repeat(200)}`,
      `/?utm_campaign=${encodeURIComponent(before + '😀'.repeat(200))}`,
    ]) {
      const common = { anonId: `cut ${before}browser`, propertyId: place.key, path };
      const event = {
        ...common,
        eventType: `${before}${'😀'.repeat(40)}`.slice(0, 63),
        props: { [`${before}${'😀'.repeat(300)}`]: '😀'.repeat(3000) },
      };
      const sent = [
        await send(server, { at: 'POST /v1/events' }, { body: event }),
        await send(
          server,
          { at: 'POST /v1/leads/capture' },
          {
            body: {
              ...common,
              email,
              formName: `${before}${'😀'.repeat(300)}`,
              payload: { wish: `${before}${'😀'.repeat(3000)}`.slice(0, 5000) },
            },
          },
        ),
        await send(
          server,
          { at: 'POST /v1/leads/capture' },
          { form: { ...common, email, wish: `${before}${'😀'.repeat(1000)}` } },
        ),
      ];
      for (const { status, text } of sent) assert.ok(status < 400, `${status} ${text}`);
    }
  const { rows } = await server.database.owner.query(
    `select count(*)::int as leads, (select count(*)::int from submissions s where s.lead_id = any (array_agg(l.lead_id))) as submissions
     from leads l where email_normalized = $1`,
    [email],
  );
  assert.deepEqual(rows, [{ leads: 1, submissions: 4 }]);
});
