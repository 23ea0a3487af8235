// The document is good enough to make a client from: it is made, checked by the compiler, and calls every operation.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { isTold, jsonAnswerOf, parametersOf, type Route } from '../src/ground/http/route.ts';
import { type Example, examplesOf } from './examples.ts';
import { admin, BROWSER, call, startServer, type TestServer } from './server.ts';
import { makePlace, WORLD_SETTINGS } from './world.ts';

const api = join(import.meta.dirname, '..');
const folder = join(api, '.client'); // inside api/, so that the client finds its runtime
let server: TestServer;
before(async () => {
  server = await startServer(WORLD_SETTINGS);
  mkdirSync(folder, { recursive: true });
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server.end();
});

// beside the server, which looks after its database meanwhile
const tool = async (name: string, ...args: string[]) => {
  try {
    await promisify(execFile)(join(api, 'node_modules/.bin', name), args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env.PATH}` },
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    assert.fail(`${name} ${args.join(' ')}: ${stdout.slice(0, 4000)}${stderr.slice(0, 2000)}`);
  }
};

/** What a generated function calls its parameters; the one that is none of the document's is the body. */
function argumentsOf(client: string, { id, takes, ...route }: Route, { path, query, body }: Example): object {
  const names =
    new RegExp(`^export function ${id}\\(\\{ ([^}]*) \\}`, 'm').exec(client)?.[1]?.split(', ') ?? [];
  const plain = (name: string) => name.replace(/^\$/, '').replaceAll('_', '').toLowerCase();
  const shape = takes?.as === 'query' ? ((takes.shape ?? takes.documents) as { shape?: object }) : undefined;
  const documented = [...parametersOf(route), ...Object.keys(shape?.shape ?? {})].map(plain);
  const given = Object.entries({ ...path, ...query });
  const named = given.map(([name, value]) => [names.find((one) => plain(one) === plain(name)), value]);
  assert.ok(
    !named.some(([name]) => name === undefined),
    `${id}: a parameter of the example is not the client's`,
  );
  const ofBody = names.filter((name) => !documented.includes(plain(name)));
  assert.ok(ofBody.length <= 1 && (ofBody.length === 1 || !body), `${id} takes its body as ${ofBody}`);
  return Object.fromEntries(body ? [...named, [ofBody[0], body]] : named);
}

/** The arguments with one field too many: of the body, or where there is none beside the parameters. */
function withMore(args: object, body: object | undefined): string {
  const more = Object.entries(args).map(([name, value]) =>
    value === body ? [name, { ...body, noSuchField: 1 }] : [name, value],
  );
  return JSON.stringify(body ? Object.fromEntries(more) : { ...args, noSuchField: 1 });
}

/** What the compiler must accept of an operation, and what it must not. */
function callOf(client: string, route: Route, shown: Example): string {
  const { id, answers, takes } = route;
  // what is signed goes as the text that was signed
  const isSigned = takes && takes.as !== 'query' && takes.as.includes('raw');
  const example: Example = isSigned
    ? { ...shown, body: JSON.stringify(shown.body) as unknown as Record<string, unknown> }
    : shown;
  const args = argumentsOf(client, route, example);
  const takesSome = new RegExp(`^export function ${id}\\(\\{`, 'm').test(client);
  const literal = takesSome ? `timely(${JSON.stringify(args)}), ` : '';
  const isOpen = id === 'runJob' && example.body; // each job has options of its own
  const refused =
    takesSome && !isOpen
      ? `// @ts-expect-error it takes nothing that the document does not name
      void (() => api.${id}(${withMore(args, example.body)}, how));`
      : '';
  const answersJson = jsonAnswerOf(answers) !== null && example.query?.format !== 'csv';
  const fits = answersJson
    ? `if (!('data' in answer) || typeof answer.data !== 'object' || !answer.data.ok) return answer;
      const fits: true = answer.data.ok;
      // @ts-expect-error it answers nothing that the document does not name
      void [fits, answer.data.noSuchField];`
    : '';
  return `async (how) => {
      ${refused}
      const answer = await api.${id}(${literal}{ ...how, headers: { ...how.headers, ...${JSON.stringify(example.headers ?? {})} } });
      ${fits}
      return answer;
    },`;
}

test('makes a typed client from the document and calls every operation with it against the real server', async () => {
  const { body: document } = await call(`${server.url}/v1/openapi.json`);
  writeFileSync(join(folder, 'openapi.json'), JSON.stringify(document));
  await tool('oazapfts', 'openapi.json', 'client.ts', '--argumentStyle=object', '--useUnknown');
  const client = readFileSync(join(folder, 'client.ts'), 'utf8');
  const operations = [...client.matchAll(/^export function (\w+)\(/gm)].map(([, name]) => name!);
  assert.deepEqual(operations.sort(), server.routes.map(({ id }) => id).sort());

  const examples = examplesOf(await makePlace(server, 'bakery'));
  // a client speaks JSON; forms and tables are sent by others
  const spoken = Object.entries(examples).map(([id, some]) => ({
    route: server.routes.find((one) => one.id === id)!,
    some: some.filter(({ form, csv }) => !form && !csv),
  }));
  writeFileSync(
    join(folder, 'calls.ts'),
    `import type { RequestOpts } from '@oazapfts/runtime';
import { timely } from '../test/people.ts';
import * as api from './client.ts';
type Call = (how: RequestOpts) => Promise<{ status: number; data?: unknown }>;
export const calls: Record<string, Call[]> = {
${spoken.map(({ route, some }) => `${route.id}: [${some.map((one) => callOf(client, route, one)).join('\n')}],`).join('\n')}
};
`,
  );
  // exactOptionalPropertyTypes: the generator's own runtime does not keep to it
  const compilerOptions = { exactOptionalPropertyTypes: false };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../tsconfig.json', compilerOptions, include: ['*.ts'] }),
  );
  await tool('tsc', '-p', '.');

  const { calls } = await import(pathToFileURL(join(folder, 'calls.ts')).href);
  const how = { baseUrl: server.url, headers: { ...admin, 'user-agent': BROWSER }, redirect: 'manual' };
  for (const { route } of spoken)
    for (const one of calls[route.id]) {
      const { status, data } = await one(how);
      assert.ok(status < 400 && status in route.answers, `${route.id}: ${status} ${JSON.stringify(data)}`);
      // that it fits its shape is checked by the server itself (checkAnswers)
      if (!isTold(route.answers[status]!) && typeof data === 'object') assert.equal(data.ok, true, route.id);
    }
  assert.deepEqual(Object.keys(calls).sort(), operations);
});
