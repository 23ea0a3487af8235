// What the OpenAPI document owes whoever makes a client from it: names, one tag, closed shapes, refusals.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parametersOf } from '../src/ground/http/route.ts';
import { call, startServer, type TestServer } from './server.ts';

/** What others fill as they like, and this document itself. Everything else says what it holds. */
const OPEN = [
  'AuditEntry.details',
  'BreachChange.before',
  'Capture.payload',
  'Event.props',
  'GraphQuestion.variables',
  'HeldRow',
  'JobRun.options',
  'JobRun.result',
  'Json',
  'Lead.attributes',
  'LeadEvent.props',
  'ListedLead.attributes',
  'Quarantined.payload',
  'Site.settings',
  'SiteSettings',
  'SiteSettingsPatch',
  'Submission.payload',
  'captureLead takes a form.payload',
  'describeHooks answers 200.samples[].data',
  'getOpenApi answers 200',
  'runJob takes json',
];

/** A new operation begins with one of these, or adds the better one. */
const VERBS = new Set(
  (
    'is get list search show describe make create update store capture tell import export publish register judge merge unmerge ' +
    'release drop confirm unsubscribe erase run revoke sign prove change end delete invite ask reset add remove renew refresh begin rename finish unlock withdraw object start stop choose restore'
  ).split(' '),
);

interface Schema {
  type?: string | string[];
  $ref?: string;
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: boolean | Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
}
interface Content {
  content?: Record<string, { schema?: Schema }>;
}
interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  parameters?: { name: string; in: string; schema: Schema }[];
  requestBody?: Content;
  responses: Record<string, Content>;
}

let server: TestServer;
let operations: Operation[];
let schemas: Record<string, Schema>;
before(async () => {
  server = await startServer();
  const { body } = await call(`${server.url}/v1/openapi.json`);
  operations = Object.values(body.paths as Record<string, object>).flatMap((path) => Object.values(path));
  schemas = body.components.schemas;
});
after(() => server.end());

test('every way in is said where it opens something, with what is asked of whoever comes', async () => {
  const { body } = await call(`${server.url}/v1/openapi.json`);
  const waysOf = (path: string, method: string) =>
    (body.paths[path][method].security ?? []).map((one: object) => Object.keys(one).join('+'));
  const everybodys = ['adminKey', 'key', 'session', 'accessToken'];
  assert.deepEqual(waysOf('/v1/leads', 'get'), everybodys);
  assert.deepEqual(waysOf('/v1/metrics/summary', 'get'), [...everybodys, 'share', 'share+unlocked']);
  assert.deepEqual(waysOf('/v1/users/me', 'get'), ['session', 'accessToken']);
  assert.deepEqual(waysOf('/v1/events', 'post'), []);
  const used = new Set(
    Object.keys(body.paths).flatMap((path) =>
      Object.keys(body.paths[path]).flatMap((method) =>
        waysOf(path, method).flatMap((way: string) => way.split('+')),
      ),
    ),
  );
  assert.deepEqual([...used].sort(), Object.keys(body.components.securitySchemes).sort());
  for (const { id, at, who, proof } of server.routes.filter(
    ({ who }) => who !== 'anyone' && who !== 'inside',
  )) {
    const [method, path] = at.split(' ') as [string, string];
    const said = body.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
    if (said) assert.deepEqual([said['x-capability'], 'x-proof' in said], [who, proof !== undefined], id);
  }
});

const saysNothing = (schema: Schema) =>
  !['type', '$ref', 'enum', 'const', 'anyOf', 'oneOf', 'allOf'].some((key) => key in schema);
const isAnything = (more: boolean | Schema | undefined) =>
  more === true ||
  (typeof more === 'object' && (saysNothing(more) || more.$ref === '#/components/schemas/Json'));

/** Names of the places where anything at all may stand. answers: an object that does not say it is closed is open. */
function openIn(schema: Schema, at: string, answers: boolean): string[] {
  const {
    type,
    properties = {},
    items,
    additionalProperties: more,
    anyOf = [],
    oneOf = [],
    allOf = [],
  } = schema;
  const isObject = type === 'object' || (Array.isArray(type) && type.includes('object'));
  const isOpen =
    saysNothing(schema) ||
    isAnything(more) ||
    (isObject && more === undefined && (answers || !schema.properties)) ||
    (type === 'array' && !items);
  return [
    ...(isOpen ? [at] : []),
    ...(typeof more === 'object' && !isAnything(more) ? openIn(more, `${at}.*`, answers) : []),
    ...(items ? openIn(items, `${at}[]`, answers) : []),
    ...Object.entries(properties).flatMap(([name, one]) => openIn(one, `${at}.${name}`, answers)),
    ...[...anyOf, ...oneOf, ...allOf].flatMap((one) => openIn(one, at, answers)),
  ];
}

/** Names of the components that something is made of. */
function componentsIn(part: unknown, seen = new Set<string>()): Set<string> {
  for (const [, name] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/(\w+)"/g))
    if (!seen.has(name!)) componentsIn(schemas[name!], seen.add(name!));
  return seen;
}

const KINDS: Record<string, string> = {
  'application/json': 'json',
  'application/x-www-form-urlencoded': 'a form',
  'multipart/form-data': 'a form',
};
function openOf({ operationId: id, parameters = [], requestBody, responses }: Operation): string[] {
  const contentOf = ({ content = {} }: Content, at: string, answers: boolean) =>
    Object.entries(content).flatMap(([type, { schema = {} }]) =>
      openIn(schema, answers ? at : `${at} ${KINDS[type] ?? type}`, answers),
    );
  return [
    ...parameters.flatMap(({ name, schema }) => openIn(schema, `${id}?${name}`, false)),
    ...contentOf(requestBody ?? {}, `${id} takes`, false),
    ...Object.entries(responses).flatMap(([status, one]) => contentOf(one, `${id} answers ${status}`, true)),
  ];
}

test('every operation has a name of its own that begins with a verb, one tag, and a summary', () => {
  const ids = operations.map(({ operationId }) => operationId);
  assert.deepEqual([...new Set(ids)].sort(), server.routes.map(({ id }) => id).sort());
  for (const { operationId: id, tags, summary } of operations) {
    assert.match(id, /^[a-z]+([A-Z][a-z]+)*$/);
    assert.ok(VERBS.has(/^[a-z]+/.exec(id)![0]), `${id} begins with a verb`);
    assert.equal(tags.length, 1, id);
    assert.match(summary, /^\S.{5,}[^.]$/, id);
  }
});

test('every operation says how it refuses', () => {
  for (const { operationId: id, responses } of operations) {
    const refusal = responses.default?.content?.['application/json']?.schema;
    assert.deepEqual(refusal, { $ref: '#/components/schemas/Refusal' }, id);
  }
});

test('every parameter of a path is documented, and a site is named by its key or id', () => {
  for (const route of server.routes) {
    const { operationId: id, parameters = [] } = operations.find((one) => one.operationId === route.id)!;
    const documented = parameters.filter((one) => one.in === 'path').map(({ name }) => name);
    assert.deepEqual(documented, parametersOf(route), id);
    for (const { name, schema } of parameters)
      if (name === 'siteId' || name === 'propertyId') assert.ok(!('format' in schema), `${id} ${name}`);
  }
});

test('what is taken and what is answered is closed, but for what is open by nature', () => {
  const answered = componentsIn(operations.map(({ responses }) => responses));
  assert.ok(answered.has('Lead') && answered.has('LeadEvent') && !answered.has('Capture'));
  const inComponents = Object.entries(schemas).flatMap(([name, schema]) =>
    openIn(schema, name, answered.has(name)),
  );
  const open = [...inComponents, ...operations.flatMap(openOf)];
  assert.deepEqual([...new Set(open)].sort(), OPEN);
});

test('no component is called by a number, and none hides a word of the language', () => {
  for (const name of Object.keys(schemas)) {
    assert.match(name, /^[A-Z][A-Za-z]+$/);
    assert.ok(!['Error', 'Promise', 'Date', 'Record'].includes(name), name);
  }
});
