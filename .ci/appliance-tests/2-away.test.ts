// The database's container away for seconds or minutes, and falling again and again: what people were told is taken is stored afterwards.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, figure, LONG, Stack, sleep } from './stack.ts';

const stack = new Stack('away');
before(async () => {
  await stack.prepare('RATE_LIMITS=off\nJOBS=off\n');
  await stack.up();
});
after(() => stack.down());

/** People who leave their addresses, every second of whom then wants no more mail, until stopped. */
class People {
  readonly captured: string[] = [];
  readonly unsubscribed: string[] = [];
  readonly refused: number[] = [];
  readonly #name: string;
  readonly #going: Promise<void>;
  #wanted = true;

  constructor(name: string) {
    this.#name = name;
    this.#going = this.#come();
  }

  async #come(): Promise<void> {
    for (let n = 0; this.#wanted; n++) {
      const email = `${this.#name}-${n}@example.com`;
      const consent = { text: 'Send me the weekly bake.', language: 'en' };
      const lead = {
        email,
        anonId: `browser-of-${this.#name}-${n}`,
        path: '/',
        formName: 'newsletter',
      };
      if (
        await this.#asks('/v1/leads/capture', {
          ...lead,
          consentStatus: 'express',
          consent,
        })
      )
        this.captured.push(email);
      if (n % 2 === 0 && (await this.#asks('/v1/leads/unsubscribe', { email })))
        this.unsubscribed.push(email);
      await sleep(100);
    }
  }

  async #asks(path: string, body: object): Promise<boolean> {
    const { status } = await stack.call('POST', path, body);
    if (status !== 200) this.refused.push(status);
    return status === 200;
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    await this.#going;
  }
}

async function allStored(people: People, name: string): Promise<void> {
  await eventually('the database is there', 120, () => stack.healthy('postgres'));
  const rows = (where: string) =>
    stack.sql(`select email from leads where email like '${name}-%' and ${where}`);
  const missing = async () => {
    const stored = new Set((await rows('true')).split('\n'));
    const withdrawn = new Set(
      (
        await rows(
          `(select status from consent_records c where (c.site_id, c.lead_id) = (leads.site_id, leads.lead_id) order by seq desc limit 1) = 'withdrawn'`,
        )
      ).split('\n'),
    );
    return [
      ...people.captured.filter((email) => !stored.has(email)),
      ...people.unsubscribed
        .filter((email) => !withdrawn.has(email))
        .map((email) => `${email} still gets mail`),
    ];
  };
  await eventually('everything that was taken is stored', 90, async () => {
    const found = await missing();
    if (found.length > 0) throw new Error(`${found.length} missing: ${found.slice(0, 5).join(', ')}`);
    return true;
  });
  assert.equal(
    (await stack.compose('exec', '-T', 'api', 'ls', '/data/journal')).includes('failed'),
    false,
    'nothing was set aside',
  );
  await eventually('the API calls itself well', 60, () => stack.healthy('api'));
  assert.doesNotMatch((await stack.attempt('status')).said, /journal_failed|set aside/);
}

// 30 s is longer than a round of the journal and longer than the engine's own waits for a name
for (const seconds of LONG ? [5, 30, 120] : [30])
  test(`the database's container is stopped for ${seconds} s: each form and each goodbye is taken and stored afterwards, events and the rest are asked to come again`, async () => {
    const name = `stopped-${seconds}`;
    const people = new People(name);
    await sleep(1000);
    await stack.compose('stop', 'postgres');
    const stopped = Date.now();
    const before = people.captured.length;
    const key = { 'x-admin-key': await stack.adminKey() };
    for (const [method, path, body] of [
      ['POST', '/v1/events', { eventType: 'page_view', path: '/', anonId: 'ada-browser-1' }],
      ['GET', '/v1/sites', undefined],
      ['POST', '/v1/leads/delete', { email: 'nobody@example.com' }],
    ] as const) {
      const answer = await stack.call(method, path, body, key);
      assert.equal(answer.status, 503, `${path}: ${JSON.stringify(answer.body)}`);
      assert.ok(Number(answer.headers.get('retry-after')) > 0, path);
    }
    await sleep(seconds * 1000 - (Date.now() - stopped));
    assert.ok(people.captured.length > before, 'forms are taken meanwhile');
    await stack.compose('start', 'postgres');
    await sleep(1000);
    await people.stop();
    assert.deepEqual(people.refused, []);
    await allStored(people, name);
    figure(`taken while the database was stopped for ${seconds} s`, people.captured.length - before);
  });

test('the database falls again and again, until the engine waits before it starts it: nothing that was taken meanwhile is lost', async () => {
  const people = new People('falling');
  const restarts = async () => (await stack.inspect('postgres')).RestartCount as number;
  const first = await restarts();
  await eventually('it fell seven times', 60, async () => {
    await stack.killMain('postgres').catch(() => {});
    return (await restarts()) >= first + 7;
  });
  await stack.killMain('postgres').catch(() => {});
  const before = people.captured.length;
  await eventually('forms are taken meanwhile', 30, async () => people.captured.length > before + 5);
  await eventually('the database is there', 120, () => stack.healthy('postgres'));
  await people.stop();
  assert.deepEqual(people.refused, []);
  await allStored(people, 'falling');
});
