// npm run bench:accounts: what accounts cost: the memory of their code and libraries, of an API that serves without a keyring, with
// one, with twenty signed in, and while two thousand try at once; what an event costs beside people who are signed in, and what their
// looks at dashboards cost more than a key's; and whether the time of a refusal tells who has an account. It throws when anything is
// not answered as it should be, and ends with 1 when a target is missed. Ratios count.
// A short try, whose figures say nothing: BENCH_SECONDS=1 BENCH_SLICE_SECONDS=1 BENCH_ROUNDS=2 BENCH_TRIES=100
import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load, ofBrowser, PAGE_ORIGIN, returns } from './load.ts';
import { cpuMs, residentMb } from './processes.ts';
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

// An API that serves: without a keyring, where nobody can have an account, and with one.
const PEOPLE = 20;
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 30);
const SLICE_SECONDS = Number(process.env.BENCH_SLICE_SECONDS ?? 2);
const TRIES = Number(process.env.BENCH_TRIES ?? 2000);
const ADMIN_KEY = 'an admin key for the bench only';
const PASSWORD = 'several words of theirs';
const secret = (what: string) => what.padEnd(43, '-');
// no job by schedule: each minute's rollup would fall into some scenes and not into others
const SETTINGS = { TRUSTED_PROXIES: '127.0.0.1', ADMIN_API_KEY: ADMIN_KEY, JOBS: 'off' };
const pause = (seconds: number) => new Promise((done) => setTimeout(done, seconds * 1000));
const SETTLED_SECONDS = 20; // the API reads its sites anew every 10 s
const middle = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
let missed = 0;
/** more  than what it is compared with */
function judged(what: string, more: number, most: number, unit: string): void {
  if (more > most) missed += 1;
  console.log(`${what}: ${round(more, 1)} ${unit} (${most} at most: ${more <= most ? 'met' : 'NOT MET'})`);
}

const keyless = await setStage('event', SETTINGS);
await pause(SETTLED_SECONDS);
const keylessMb = residentMb(keyless.api.pid).own;
await keyless.end();

const { port, owner, api, postmaster, leave } = await setStage('event', {
  ...SETTINGS,
  ACCOUNT_KEYS: ['wrap', 'index', 'pepper'].map((name) => `${name}:${secret(name)}`).join(','),
});
const address = `http://127.0.0.1:${port}`;
const json = { 'content-type': 'application/json', origin: address };

async function answer(path: string, init: RequestInit): Promise<Response> {
  const said = await fetch(`${address}${path}`, init);
  if (!said.ok) throw new Error(`${path}: ${said.status} ${await said.text()}`);
  return said;
}
async function loaded(...given: Parameters<typeof load>): ReturnType<typeof load> {
  const result = await load(...given);
  if (result.errors > 0 || result.events === 0)
    throw new Error(`${given[0].path}: ${result.errors} errors, ${result.events} answered`);
  return result;
}
const emailOf = (n: number) => `person${n}@bench.example`;

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
      email: emailOf(n),
      fullName: `Person ${n}`,
      password: PASSWORD,
    }),
  });
  return joined.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
}

await owner.query('update sites set origins = $1', [[PAGE_ORIGIN]]);
await pause(SETTLED_SECONDS);
const idleMb = residentMb(api.pid).own;
const people: string[] = [];
for (let n = 0; n < PEOPLE; n += 1) people.push(await signUp(n));
await pause(SETTLED_SECONDS);
const signedInMb = residentMb(api.pid).own;
console.log(`an API that serves   ${keylessMb} MB of its own without a keyring`);
judged('  with one           more', idleMb - keylessMb, 6, 'MB');
console.log(`  ${PEOPLE} signed in       ${signedInMb} MB`);

// Events that come in, at one pace so that each slice holds as many: while nobody is signed in against while twenty are; and while
// twenty look at their dashboards every ten seconds each (who they are, and a report), by a key as before there were accounts, against
// by their sessions. What the looks cost is the reports' own; what accounts add to them is the difference of these two.
const EVENTS_PER_SECOND = 1500;
type Scene = 'nobody' | 'signed in' | 'by key' | 'by session';
const events = { port, path: '/v1/events', headers: ofBrowser, connections: 64, rate: EVENTS_PER_SECOND };
const source = returns(2000);
await loaded({ ...events, source, seconds: 4 }); // warm: plans, JIT, caches
const today = new Date().toISOString().slice(0, 10);
const REPORT = `/v1/metrics/summary?from=${today}&to=${today}`;
const signOutAll = () => owner.query("update user_sessions set seen_at = seen_at - interval '1 day'");
const signInAll = () => owner.query('update user_sessions set seen_at = now()');

/** One by one, so that what is counted is theirs and not a queue's. returns  how many looked */
async function looks(by: Scene, until: Promise<unknown>): Promise<number> {
  let isOver = false;
  const over = until.finally(() => {
    isOver = true;
  });
  let looked = 0;
  while (!isOver) {
    people.push(people.shift()!);
    const headers: Record<string, string> =
      by === 'by key' ? { 'x-admin-key': ADMIN_KEY } : { cookie: people[0]!, origin: address };
    // a key has no profile of its own; a small look of the machine's stands for it
    for (const path of by === 'by key' ? ['/v1/sites', REPORT] : ['/v1/users/me', REPORT])
      await (await answer(path, { headers })).arrayBuffer();
    looked += 1;
    await pause(10 / PEOPLE);
  }
  await over;
  return looked;
}

/** CPU milliseconds an event, of the API and PostgreSQL. */
async function eventsBeside(scene: Scene): Promise<number> {
  await (scene === 'nobody' ? signOutAll() : signInAll());
  const spent = () => cpuMs(api.pid) + cpuMs(postmaster);
  const before = spent();
  const work = loaded({ ...events, source, seconds: SLICE_SECONDS });
  if (scene.startsWith('by ') && (await looks(scene, work)) < SLICE_SECONDS)
    throw new Error(`${scene}: too few looked`);
  return (spent() - before) / (await work).events;
}

/**
 * How much more the one costs than the other, in percent: short slices as A B B A, so that a machine which grows slower costs both as
 * much; of each round one ratio, the middle of all of them, and between which two of them the true middle is 19 times in 20.
 */
async function compared(than: Scene, scene: Scene) {
  const ratios: number[] = [];
  const costs: number[] = [];
  for (let i = 0; i < ROUNDS; i += 1) {
    const [a, b, c, d] = [
      await eventsBeside(than),
      await eventsBeside(scene),
      await eventsBeside(scene),
      await eventsBeside(than),
    ];
    costs.push((a + d) / 2);
    ratios.push(((b + c) / (a + d) - 1) * 100);
  }
  ratios.sort((one, other) => one - other);
  // the sign test's ranks, by the normal law
  const rank = Math.max(0, Math.floor(ROUNDS / 2 - 0.98 * Math.sqrt(ROUNDS)));
  return { cost: middle(costs), more: middle(ratios), low: ratios[rank]!, high: ratios[ROUNDS - 1 - rank]! };
}
/** Met when the whole interval is, missed when none of it is; anything else is not known, and says so. */
function decided(
  what: string,
  { more, low, high }: Awaited<ReturnType<typeof compared>>,
  most: number,
): void {
  if (high > most) missed += 1;
  const verdict = high <= most ? 'met' : low > most ? 'NOT MET' : 'NOT DECIDED: more BENCH_ROUNDS';
  console.log(
    `${what}: ${round(more, 1)} %, between ${round(low, 1)} and ${round(high, 1)} (${most} at most: ${verdict})`,
  );
}

const present = await compared('nobody', 'signed in');
console.log(
  `an event             ${round(present.cost)} ms of CPU, ${EVENTS_PER_SECOND} a second; ${ROUNDS} rounds of four times ${SLICE_SECONDS} s`,
);
decided(`  ${PEOPLE} signed in       more`, present, 2);
const looking = await compared('by key', 'by session');
console.log(
  `  ${PEOPLE} look, by a key  ${round((looking.cost / present.cost - 1) * 100, 1)} % more: what reports cost`,
);
decided(`  ${PEOPLE} look, signed in more than by a key`, looking, 2);

// Two thousand who sign in at once, and forms that are sent meanwhile.
// over as many connections as a proxy holds: beyond its own bound the API cuts them off, and that is not what is measured
const agent = new Agent({ keepAlive: true, maxSockets: 1000 });
const signIn = (email: string, password: string): Promise<number> =>
  new Promise((done, failed) => {
    const asked = request(`${address}/v1/auth/login`, { method: 'POST', headers: json, agent }, (said) => {
      said.resume().on('end', () => done(said.statusCode!));
    });
    asked.on('error', failed).end(JSON.stringify({ email, password }));
  });
const beforeMb = residentMb(api.pid).own;
let peakMb = beforeMb;
const watching = setInterval(() => {
  peakMb = Math.max(peakMb, residentMb(api.pid).own);
}, 50);
let forms = 0;
const form = () => {
  forms += 1;
  return JSON.stringify({ email: `lead${forms}@bench.example`, anonId: `bench-visitor-${forms}`, path: '/' });
};
const capturing = loaded({
  port,
  path: '/v1/leads/capture',
  body: form,
  headers: () => `Origin: ${PAGE_ORIGIN}\r\nX-Real-IP: 10.1.${(forms >> 8) & 255}.${forms & 255}\r\n`,
  connections: 1,
  rate: 5,
  seconds: SECONDS,
});
const statuses = await Promise.all(
  Array.from({ length: TRIES }, (_, i) => signIn(emailOf(i % PEOPLE), PASSWORD)),
);
const captured = await capturing;
clearInterval(watching);
const signedIn = statuses.filter((status) => status === 200).length;
const toldToWait = statuses.filter((status) => status === 503).length;
if (signedIn === 0 || signedIn + toldToWait !== TRIES)
  throw new Error(`of ${TRIES} sign-ins ${signedIn} were let in and ${toldToWait} told to wait`);
console.log(`${TRIES} sign-ins at once   ${signedIn} let in, ${toldToWait} told to come back`);
judged('  memory at its peak more', peakMb - beforeMb, 25, 'MB');
console.log(`  forms meanwhile    ${captured.events} taken, p50 ${captured.p50} ms, p99 ${captured.p99} ms`);

// Whether the time of a refusal tells who has an account: in turn, one after the other.
const REFUSED = { known: emailOf(0), unknown: 'nobody@bench.example', disabled: emailOf(1) };
await owner.query(
  "update users set disabled_at = now() where user_id = (select user_id from auth_events where kind = 'sign_up' order by event_id offset 1 limit 1)",
);
const took: Record<string, number[]> = { known: [], unknown: [], disabled: [] };
for (let i = 0; i < Math.max(5, TRIES / 20); i += 1)
  for (const [who, email] of Object.entries(REFUSED)) {
    const begun = performance.now();
    // the right password of who is disabled, so that nothing but that refuses them
    const status = await signIn(email, who === 'disabled' ? PASSWORD : 'not the one of theirs');
    took[who]!.push(performance.now() - begun);
    if (status !== 401) throw new Error(`${who}: ${status}`);
  }
const times = Object.entries(took).map(([who, ms]) => [who, middle(ms)] as const);
console.log(`a refusal            ${times.map(([who, ms]) => `${who} ${round(ms, 1)} ms`).join(', ')}`);
const [least, most] = [Math.min(...times.map(([, ms]) => ms)), Math.max(...times.map(([, ms]) => ms))];
judged('  they differ by', (most / least - 1) * 100, 5, '%');
agent.destroy();
await leave(missed > 0 ? 1 : 0);
