// The API in a process of its own, under the memory that the container gives it, and what each call made it hold.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { freePort } from '../src/ground/db/embedded.ts';
import type { Route } from '../src/ground/http/route.ts';
import { PEPPER } from './cluster.ts';
import { containerEnv, containerFlags } from './container.ts';
import type { Example } from './examples.ts';
import { request } from './send.ts';
import { ADMIN_KEY, admin } from './server.ts';
import { type Place, WORLD_SETTINGS } from './world.ts';

const API = new URL('..', import.meta.url);
const START_MS_MAX = 180_000;

export interface Answered {
  status: number;
  bytes: number;
  /** The end of it. */
  last: string;
}
export interface Took {
  name: string;
  ms: number;
  /** The most that the process held, resident, pages of node's own file included. */
  mb: number;
}

/** throws  when it does not answer in three minutes, or dies */
export async function startConfined(
  databaseUrl: string,
  folder: string,
  settings: Record<string, string> = {},
  flags: string[] = [],
) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let said = '';
  const api = spawn(process.execPath, [...containerFlags, ...flags, 'src/main.ts'], {
    cwd: API,
    env: {
      ...WORLD_SETTINGS,
      ...containerEnv,
      PATH: process.env.PATH,
      PORT: String(port),
      DATA_DIR: folder,
      DATABASE_URL: databaseUrl,
      ADMIN_API_KEY: ADMIN_KEY,
      IP_HASH_PEPPER: PEPPER,
      RATE_LIMITS: 'off',
      JOBS: 'off',
      LOG_LEVEL: 'error',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gather = (chunk: Buffer) => {
    said = (said + chunk).slice(-3000);
  };
  api.stdout.on('data', gather);
  api.stderr.on('data', gather);
  const isAlive = () => api.exitCode === null && api.signalCode === null;
  /** In MB, since the peak was begun anew. */
  const peakMb = () =>
    Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${api.pid}/status`, 'utf8'))![1]) / 1024);

  /** Reads an answer to its end and holds nothing of it. Waits as long as a job may take, which fetch() would not. */
  async function ask(route: Pick<Route, 'at'>, example: Example): Promise<Answered> {
    const [target, { method, headers, body }] = request({ url }, route, example, admin);
    const sent = httpRequest(target, { method: method!, headers: headers as Record<string, string> });
    sent.end(body as string | undefined);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let bytes = 0;
    let last = '';
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      last = chunk.toString().slice(-200);
    }
    return { status: response.statusCode!, bytes, last };
  }

  const until = Date.now() + START_MS_MAX;
  while (!(await fetch(`${url}/readyz`).catch(() => null))?.ok) {
    assert.ok(isAlive(), said);
    assert.ok(Date.now() < until, `it did not start: ${said}`);
    await new Promise((done) => setTimeout(done, 200));
  }
  const took: Took[] = [{ name: 'the start', ms: START_MS_MAX - (until - Date.now()), mb: peakMb() }];
  return {
    url,
    pid: api.pid!,
    took,
    /** Calls, and looks that the process lives and did not fail. */
    async walk(name: string, route: Pick<Route, 'at'>, example: Example): Promise<Answered> {
      const began = performance.now();
      writeFileSync(`/proc/${api.pid}/clear_refs`, '5'); // the peak begins anew
      const answer = await ask(route, example).catch((error) => error as Error);
      took.push({ name, ms: performance.now() - began, mb: isAlive() ? peakMb() : 0 });
      if (process.env.OVERFILL_TELL) console.error(JSON.stringify(took.at(-1)));
      assert.ok(isAlive(), `${name} ended the process: ${said}`);
      assert.ok(!(answer instanceof Error), `${name}: ${answer}`);
      assert.ok(
        answer.status < 500 || answer.status === 503,
        `${name}: ${answer.status} ${answer.last} ${said}`,
      );
      return answer;
    },
    /** The worst five. */
    most: (by: 'ms' | 'mb') =>
      took
        .toSorted((a, b) => b[by] - a[by])
        .slice(0, 5)
        .map(({ name, ...one }) => `${Math.round(one[by])} ${by} ${name.slice(0, 100)}`)
        .join('; '),
    end: () =>
      new Promise<void>((done) => {
        if (!isAlive()) done();
        api.on('exit', () => done());
        api.kill('SIGTERM');
      }),
  };
}
export type Confined = Awaited<ReturnType<typeof startConfined>>;

/** The largest that may be asked for, beside the plain examples. */
export function largestOf(place: Place): Record<string, Example[]> {
  const { key: propertyId, today, siteId, leadId } = place;
  const from = new Date(Date.parse(today) - 300 * 86_400_000).toISOString().slice(0, 10);
  const window = { from, to: today, propertyId };
  return {
    getMetricsBreakdown: ['pages', 'campaigns', 'spend'].flatMap((by) =>
      ['json', 'csv'].map((format) => ({ query: { ...window, by, limit: 1000, format } })),
    ),
    getMetricsAttribution: ['lead', 'signup'].map((of) => ({ query: { ...window, of } })),
    getMetricsCohorts: [{ query: { ...window, weeks: 52 } }],
    getMetricsLeads: [{ query: { ...window, limit: 1000 } }],
    getMetricsSummary: [{ query: { ...window, compareTo: 'yes' } }],
    getMetricsQuality: [{ query: window }],
    listLeads: [{ query: { propertyId, limit: 200 } }],
    exportLeads: [{ query: { propertyId, columns: 'email,firstPath,firstReferrer,payload,unsubscribeUrl' } }],
    listConsentTexts: [{ path: { siteId }, query: { limit: 200 } }],
    listAdSpend: [{ query: { ...window, limit: 1000 } }],
    listQuarantined: [{ query: { limit: 200 } }],
    listJobRuns: [{ path: { job: 'ledger' }, query: { limit: 200 } }],
    getLead: [{ path: { leadId } }],
    getConsentEvidence: [{ path: { leadId } }],
  };
}
