// The same person is captured, linked, unsubscribed and erased at once, in every order; then once more, alone.
import pg from 'pg';
import { type Asking, captureOf, eventOf, rollUpNow, type Somebody, somebody } from './ask.ts';
import { traces } from './check.ts';
import type { Product } from './product.ts';

const AT_ONCE = 8;

function shuffled<T>(list: T[], random: () => number): T[] {
  return list
    .map((one) => [random(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);
}

/** Half of the people are erased once more at the end, and nothing may be left of them; the others come back, and are there once. */
async function race({ ask }: Asking, random: () => number, one: Somebody, isErased: boolean): Promise<void> {
  const second = { ...one, anonId: `${one.anonId}-2`, eventId: crypto.randomUUID() };
  await ask('/v1/leads/capture', captureOf(one));
  await ask('/v1/events', eventOf(second));
  const acts = [
    () => ask('/v1/leads/capture', captureOf(one)),
    () => ask('/v1/leads/capture', captureOf(second)),
    () => ask('/v1/events', eventOf(second)),
    () => ask('/v1/leads/unsubscribe', { email: one.email }),
    () => ask('/v1/identities/merge', { email: one.email, anonId: second.anonId }, [200, 404]),
    () => ask('/v1/identities/unmerge', { email: one.email, anonId: second.anonId }, [200, 404]),
    () => ask('/v1/leads/delete', { email: one.email }, [200, 404]),
  ];
  await Promise.all(shuffled(acts, random).map((act) => act()));
  // what is told of a person at last is told alone
  if (isErased) {
    await ask('/v1/leads/capture', captureOf({ ...one, eventId: crypto.randomUUID() }));
    await ask('/v1/identities/merge', { email: one.email, anonId: second.anonId }, [200, 404]);
    await ask('/v1/leads/delete', { email: one.email }, [200, 404]);
  } else await ask('/v1/leads/capture', captureOf({ ...one, eventId: crypto.randomUUID() }));
}

export async function races(
  { databaseUrl, folder }: Product,
  asking: Asking,
  random: () => number,
  rounds: number,
): Promise<{ people: number; erased: Somebody[]; faults: string[] }> {
  const erased: Somebody[] = [];
  const back: Somebody[] = [];
  for (let round = 0; round < rounds; round += 1)
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        const one = somebody();
        const isErased = random() < 0.5;
        await race(asking, random, one, isErased);
        (isErased ? erased : back).push(one);
      }),
    );
  await rollUpNow(asking);
  const db = new pg.Client(databaseUrl);
  await db.connect();
  try {
    const rows = async (sql: string, values: unknown[] = []) => (await db.query(sql, values)).rows;
    const there = await rows(
      'select email_normalized as email, count(*)::int as n from leads where email_normalized = any ($1) group by 1',
      [back.map(({ email }) => email)],
    );
    const faults = await traces(rows, folder, erased);
    if (there.length !== back.length)
      faults.push(`${back.length - there.length} of ${back.length} people who came back are not there`);
    return { people: erased.length + back.length, erased, faults };
  } finally {
    await db.end();
  }
}
