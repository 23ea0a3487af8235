// Sends one visitor through the whole product: an event in, its number out, a lead in, erased. Proof after an upgrade.
import { randomUUID } from 'node:crypto';
import type { Config } from '../../config.ts';

const SITE_KEY = 'canary';
const PATIENCE_MS = 60_000;

/**
 * Speaks to the API of this machine as a browser and as an admin would; what it makes belongs to a site of its own, so
 * nobody's numbers change.
 * throws  an Error that names the step that did not work
 */
export async function canary(config: Config, print: (text: string) => void): Promise<void> {
  const base = `http://127.0.0.1:${config.PORT}`;
  if (!config.ADMIN_API_KEY) throw new Error('The canary needs ADMIN_API_KEY.');
  const key = { 'x-admin-key': config.ADMIN_API_KEY };
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const answer = await fetch(base + path, {
      method,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    // biome-ignore lint/suspicious/noExplicitAny: answers of every shape are looked into
    return { status: answer.status, body: (await answer.json().catch(() => ({}))) as any };
  };
  const expect = (step: string, answer: { status: number; body: unknown }, ...statuses: number[]) => {
    if (!statuses.includes(answer.status))
      throw new Error(`${step}: answered ${answer.status} ${JSON.stringify(answer.body).slice(0, 200)}`);
  };

  expect(
    'making the site "canary"',
    await call('POST', '/v1/sites', { key: SITE_KEY, name: 'Canary of upgrades' }, key),
    201,
    409,
  );
  const today = new Date().toISOString().slice(0, 10);
  const anonId = `canary-${randomUUID()}`;
  const event = {
    eventId: randomUUID(),
    anonId,
    eventType: 'page_view',
    path: '/canary',
    propertyId: SITE_KEY,
  };
  const before = await viewsOf();
  expect('an event in', await call('POST', '/v1/events', event), 202);
  print('an event in: stored');

  if (before !== null) {
    expect(
      'rolling up',
      await call('POST', '/v1/admin/jobs/rollup', { from: today, to: today, propertyId: SITE_KEY }, key),
      200,
      409,
    );
    const until = Date.now() + PATIENCE_MS;
    while (((await viewsOf()) ?? 0) <= before) {
      if (Date.now() > until)
        throw new Error('its number out: the page view was stored, but no number grew within a minute');
      await new Promise((done) => setTimeout(done, 1000));
    }
    print('its number out: counted');
  }

  const email = `canary-${randomUUID()}@example.com`;
  const lead = await call('POST', '/v1/leads/capture', {
    email,
    anonId,
    propertyId: SITE_KEY,
    formName: 'canary',
    path: '/canary',
  });
  if (lead.status === 404) {
    print('this release takes no leads');
    return;
  }
  expect('a lead in', lead, 200);
  const routes = await call('GET', '/v1/openapi.json', undefined, key);
  if (!routes.body.paths?.['/v1/leads/delete']) {
    print('a lead in; this release erases none');
    return;
  }
  const erased = await call('POST', '/v1/leads/delete', { email, propertyId: SITE_KEY }, key);
  expect('erasing the lead', erased, 200);
  if (erased.body.deleted !== true) throw new Error('erasing the lead: it was not there');
  print('a lead in, and erased');

  /** null: this release has no metrics. */
  async function viewsOf(): Promise<number | null> {
    const answer = await call(
      'GET',
      `/v1/metrics/summary?from=${today}&to=${today}&propertyId=${SITE_KEY}`,
      undefined,
      key,
    );
    if (answer.status === 404) return null;
    expect('reading the number', answer, 200);
    const views = answer.body.metrics?.totalPageViews;
    return Number(views?.value ?? views ?? 0);
  }
}
