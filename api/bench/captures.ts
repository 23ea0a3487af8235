// npm run bench:captures: what a capture costs, and how long one takes while events flood in.
// Server and PostgreSQL share core 0, the load comes from core 1. Read ratios and CPU per capture; machines differ.
import { load } from './load.ts';
import { round, SECONDS, setStage } from './stage.ts';

const { port, owner, rows, measured, leave } = await setStage('capture', { TRUSTED_PROXIES: '127.0.0.1' });

let people = 0;
const person = (n: number) =>
  JSON.stringify({
    email: `person${n}@company${n % 97}.example`,
    anonId: `bench-visitor-${n}`,
    formName: 'newsletter',
    path: '/newsletter',
    consentStatus: 'express',
    consent: { text: 'Send me the weekly letter. I can stop it at any time.' },
  });
const stranger = () => {
  people += 1;
  return person(people);
};
/** Through our own proxy, each from an address of their own. */
const elsewhere = () => `X-Real-IP: 10.${(people >> 16) & 255}.${(people >> 8) & 255}.${people & 255}\r\n`;
const captures = { port, path: '/v1/leads/capture', connections: 16, seconds: SECONDS };

await load({ ...captures, body: stranger, headers: elsewhere, seconds: 3 }); // warm: plans, JIT, caches
await owner.query('vacuum analyze');
await measured('new people, each at an address of their own', () =>
  load({ ...captures, body: stranger, headers: elsewhere }),
);
let again = 0;
await measured('the same people once more', () =>
  load({
    ...captures,
    body: () => {
      again = (again % people) + 1;
      return person(again);
    },
    headers: elsewhere,
  }),
);
await measured('new people, all behind one address', () => load({ ...captures, body: stranger }));
const calm = await measured('lone captures, 5 a second', () =>
  load({ ...captures, body: stranger, headers: elsewhere, connections: 1, rate: 5 }),
);
const [, flooded] = await Promise.all([
  load({ port, path: '/v1/events', connections: 64, seconds: SECONDS }),
  load({ ...captures, body: stranger, headers: elsewhere, connections: 1, rate: 5 }),
]);
console.table(rows);
console.log(
  `while 64 connections flood events in: p50 ${flooded.p50} ms, p99 ${flooded.p99} ms, ${round(flooded.p99 / calm.p50, 1)} × the calm p50 of ${calm.p50} ms; errors ${flooded.errors}`,
);
const { n } = (await owner.query('select count(*)::int as n from leads')).rows[0];
console.log(`${n} leads at the end`);
await leave();
