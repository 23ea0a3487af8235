// npm run bench:accounts: what accounts cost: the memory of an API whose people use none of it, of one where twenty are signed
// in, of each library where one does; and what an event costs beside people who look at their dashboards. Ratios count.
import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load, ofBrowser, PAGE_ORIGIN, returns } from './load.ts';
import { residentMb } from './processes.ts';
import { round, SECONDS, setStage } from './stage.ts';

/** Megabytes resident of a process of its own that has done this, with everything compiled before, as in the image: the middle of three. */
function residentAfter(work: string): number {
  const script = `${work}; gc(); console.log(process.memoryUsage.rss() / 1e6)`;
  const run = () =>
    Number(
      execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', script], {
        cwd: `${import.meta.dirname}/..`,
        env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'marketing-bench-cache') },
        encoding: 'utf8',
      }),
    );
  run(); // fills the cache
  return [run(), run(), run()].sort((a, b) => a - b)[1]!;
}

const OF_ACCOUNTS = ['accounts', 'keys', 'shares'].map((name) => `product/${name}/feature.ts`);
const FOUNDATION = [
  'app.ts',
  ...globSync('{product,operations}/*/feature.ts', { cwd: `${import.meta.dirname}/../src` }),
].filter((path) => !OF_ACCOUNTS.includes(path));
const loading = (paths: string[]) => paths.map((path) => `await import('./src/${path}')`).join('; ');

const without = residentAfter(loading(FOUNDATION));
const idle = residentAfter(loading([...FOUNDATION, ...OF_ACCOUNTS]));
console.log(`without accounts     ${without.toFixed(1)} MB`);
console.log(`accounts, nobody in  +${(idle - without).toFixed(1)} MB (aimed at: 6 at most)`);
for (const [what, name] of [
  ['codes of an app', 'otpauth'],
  ['tokens', 'jose'],
  ['another provider', 'openid-client'],
  ['passkeys', '@simplewebauthn/server'],
] as const) {
  const used = residentAfter(`${loading([...FOUNDATION, ...OF_ACCOUNTS])}; await import('${name}')`);
  console.log(`${what.padEnd(20)} +${(used - idle).toFixed(1)} MB more, when first used`);
}

// A whole API, and events that come in while nobody, or twenty people, look at their dashboards every ten seconds each.
const PEOPLE = 20;
const ROUNDS = 7;
const ADMIN_KEY = 'an admin key for the bench only';
const secret = (what: string) => what.padEnd(43, '-');
const { port, owner, api, rows, measured, leave } = await setStage('event', {
  TRUSTED_PROXIES: '127.0.0.1',
  ADMIN_API_KEY: ADMIN_KEY,
  ACCOUNT_KEYS: ['wrap', 'index', 'pepper'].map((name) => `${name}:${secret(name)}`).join(','),
});
const address = `http://127.0.0.1:${port}`;
const json = { 'content-type': 'application/json', origin: address };
const pause = (seconds: number) => new Promise((done) => setTimeout(done, seconds * 1000));

async function answer(path: string, init: RequestInit): Promise<Response> {
  const said = await fetch(`${address}${path}`, init);
  if (!said.ok) throw new Error(`${path}: ${said.status} ${await said.text()}`);
  return said;
}

/** returns  the cookies of a viewer who has just joined */
async function signUp(n: number): Promise<string> {
  const invited = await answer('/v1/invitations', {
    method: 'POST',
    headers: { ...json, 'x-admin-key': ADMIN_KEY },
    body: JSON.stringify({ role: 'viewer', sites: ['default'] }),
  });
  const { link } = (await invited.json()) as { link: string };
  const joined = await answer('/v1/auth/signup', {
    method: 'POST',
    headers: json,
    body: JSON.stringify({
      inviteToken: link.slice(link.lastIndexOf('/') + 1),
      email: `person${n}@bench.example`,
      fullName: `Person ${n}`,
      password: 'several words of theirs',
    }),
  });
  return joined.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
}

await owner.query('update sites set origins = $1', [[PAGE_ORIGIN]]);
await pause(20); // the API reads its sites anew every 10 s
const idleMb = residentMb(api.pid).own;
const people: string[] = [];
for (let n = 0; n < PEOPLE; n += 1) people.push(await signUp(n));
await pause(20);
const signedInMb = residentMb(api.pid).own;

const events = { port, path: '/v1/events', headers: ofBrowser, connections: 64, seconds: SECONDS / 2 };
const source = returns(2000);
await load({ ...events, source, seconds: 4 }); // warm: plans, JIT, caches
/** CPU milliseconds an event while these look. */
async function eventsBeside(who: 'nobody' | 'people'): Promise<number> {
  const look = () => {
    people.push(people.shift()!);
    const headers = { cookie: people[0]!, origin: address };
    if (who === 'people') fetch(`${address}/v1/users/me`, { headers }).catch(() => {});
  };
  const looking = setInterval(look, 10_000 / PEOPLE);
  await measured(who, () => load({ ...events, source }));
  clearInterval(looking);
  return Number(rows.at(-1)!['CPU ms/event']);
}

const middle = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
const cost: Record<'nobody' | 'people', number[]> = { nobody: [], people: [] };
for (let i = 0; i < ROUNDS; i += 1)
  // in turn, because a machine's speed moves; and each as often first
  for (const who of i % 2 ? (['people', 'nobody'] as const) : (['nobody', 'people'] as const))
    cost[who].push(await eventsBeside(who));
console.log(`a whole API, idle    ${idleMb} MB of its own; once ${PEOPLE} signed in ${signedInMb} MB`);
const more = (middle(cost.people) / middle(cost.nobody) - 1) * 100;
console.log(
  `an event             ${middle(cost.nobody)} ms of CPU; while ${PEOPLE} people look ${round(more, 1)} % more (aimed at: 2 at most; the middle of ${ROUNDS} each)`,
);
await leave();
