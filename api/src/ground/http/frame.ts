// The frame of every route: limits, who calls, the body, for which site, the work, the answer, and what is noted of it.
// Compiled once at the start, a function a route; nothing is looked up per request that the route's value says.
import type { Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import Router from '@koa/router';
import type Koa from 'koa';
import type { Context } from 'koa';
import { AppError } from '../lib/app-error.ts';
import type { SiteDirectory } from '../site.ts';
import { type BodyReader, bodyReader } from './body.ts';
import { type Call, callOf } from './call.ts';
import { type Admit, bringsKey, NOBODY, SUBJECT } from './caller.ts';
import { doorOf } from './door.ts';
import { asAppError, STATUS } from './errors.ts';
import { isLook, noteLook } from './looked.ts';
import type { RateLimits } from './rate-limit.ts';
import { Reply } from './reply.ts';
import { isTold, jsonAnswerOf, methodOf, pathOf, type Route, type WriteRoute } from './route.ts';
import { clean, cleanText, validate } from './validate.ts';
import { findSite } from './which-site.ts';

/** Counts what visitors sent and was refused, and how long a write took. */
export interface Refusals {
  refuse(
    refusal: { siteId: string; route: WriteRoute; reason: string; issues?: AppError['issues']; from: string },
    count?: number,
  ): void;
  /** Server time, in milliseconds. */
  time(siteId: string, ms: number): void;
}

export interface FrameParts {
  limits: RateLimits;
  admit: Admit;
  sites: SiteDirectory;
  refusals: Refusals;
  /** Whether the disk is so full that visits wait; a field, since every event asks. */
  room: { readonly isShort: boolean };
  /** Writes down what an administrator did; never throws. */
  note(call: Call, outcome: number): Promise<void>;
  /** Writes down that somebody came with a key that is none, not too often; never throws. */
  noteStranger?(call: Call, outcome: number): Promise<void>;
  /** Compares each answer with the documented shape; for tests. */
  checkAnswers?: boolean;
}

const isRead = (route: Route) => methodOf(route) === 'GET';

function readerOf({ takes }: Route): BodyReader | null {
  if (!takes || takes.as === 'query') return null;
  const kinds = takes.as;
  return bodyReader({
    bytesMax: takes.bytesMax!,
    kinds,
    optional: takes.optional ?? false,
    filesBytesMax: takes.filesBytesMax,
  });
}

/** A query as an object of texts, the first of a repeated name, of `lists` all; cleaned like a body. */
function queryOf(call: Call, lists: readonly string[] = []): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(call.querystring)) {
    const known = Object.hasOwn(query, name) ? query[name] : undefined;
    if (Array.isArray(known)) known.push(cleanText(value));
    else if (known === undefined && name !== '__proto__')
      query[cleanText(name)] = lists.includes(name) ? [cleanText(value)] : cleanText(value);
  }
  return query;
}

type Read = () => Promise<unknown> | unknown;
/** Opens the door, reads, works and notes: everything of a route but how its input comes and its answer goes. */
export type Perform = (call: Call, read: Read) => Promise<object | Reply>;

export function performer(
  route: Route,
  parts: Pick<FrameParts, 'limits' | 'admit' | 'sites' | 'room' | 'note' | 'noteStranger' | 'checkAnswers'>,
): Perform {
  const { sites, room, note, noteStranger, checkAnswers = false } = parts;
  const { who, of, waitsForRoom = false } = route;
  const letIn = doorOf(route, parts);
  const status = statusOf(route);
  const isNoted =
    route.isSubjects ||
    (who !== 'anyone' && who !== 'inside' && who !== 'caller' && !(isRead(route) && route.shows));

  async function work(call: Call, read: Read): Promise<object | Reply> {
    route.mustHavePlace?.();
    const input = await read();
    if (of) await findSite(route, input, call, sites);
    const answer = await route.run(input, call);
    // what a route notes itself says more; who looks at themselves filters nothing
    if (isNoted && isLook(route) && !route.isSubjects) noteLook(call, route, input, answer);
    return checkAnswers ? checked(route, answer, status) : answer;
  }

  async function noted(call: Call, read: Read): Promise<object | Reply> {
    let outcome = 500;
    try {
      const answer = await work(call, read);
      outcome = answer instanceof Reply ? answer.status : status;
      return answer;
    } catch (error) {
      outcome = STATUS[asAppError(error).code];
      throw error;
    } finally {
      if (!route.isSubjects || call.caller === SUBJECT) await note(call, outcome);
    }
  }

  const enter = isNoted ? noted : work;

  async function guarded(entering: Promise<void>, call: Call, read: Read): Promise<object | Reply> {
    await entering.catch(async (thrown) => {
      const { code } = asAppError(thrown);
      // somebody we know was refused what they may not do
      if (isNoted && call.caller !== NOBODY) await note(call, STATUS[code]);
      else if (code === 'unauthorized' && bringsKey(call)) await noteStranger?.(call, STATUS[code]);
      throw thrown;
    });
    return enter(call, read);
  }

  return (call, read) => {
    if (waitsForRoom && room.isShort)
      throw new AppError(
        'unavailable',
        'There is no room for events at the moment. Keep them and send them again.',
        { retryAfterSeconds: 300 },
      );
    const entering = letIn(call);
    return entering ? guarded(entering, call, read) : enter(call, read);
  };
}

/** Of an answer that is a plain object. */
const statusOf = (route: Route): number =>
  jsonAnswerOf(route.answers)?.status ?? Number(Object.keys(route.answers)[0]);

export function compile(route: Route, parts: FrameParts): (ctx: Context) => Promise<void> {
  const { sites, refusals } = parts;
  const { takes, counts } = route;
  const readBody = readerOf(route);
  const perform = performer(route, parts);
  const status = statusOf(route);
  const isGuarded = route.who !== 'anyone';

  async function read(ctx: Context, call: Call): Promise<unknown> {
    if (!takes) {
      if (!isRead(route)) ctx.req.resume(); // what nobody reads must not keep the connection
      return undefined;
    }
    if (!readBody) {
      const query = queryOf(call, takes.lists);
      return takes.shape ? validate(takes.shape, query) : query;
    }
    try {
      await readBody(ctx, call);
    } catch (thrown) {
      // whose page it was nobody has read; a script that may not read the refusal would send the same for ever (so does Caddy's)
      if (!isGuarded && asAppError(thrown).code === 'payload_too_large') call.letPageRead();
      throw thrown;
    }
    if (takes.readTable && typeof call.body === 'string') call.body = await takes.readTable(call.body, call);
    return takes.shape ? validate(takes.shape, call.body) : call.body;
  }

  function countRefusal(call: Call, { reason, issues }: AppError): void {
    // a route that counts nothing may be served while there is no house, and so no site
    if (!counts || call.refused.items === 0) return;
    const { items, siteId = sites.fallback().siteId } = call.refused;
    refusals.refuse({ siteId, route: counts, reason, issues, from: call.client.limitKey }, items);
  }

  return async (ctx) => {
    const call = callOf(ctx);
    try {
      send(ctx, await perform(call, () => read(ctx, call)), status);
      // what somebody was shown stays in no cache, unless the route says how
      if (isGuarded && !ctx.res.hasHeader('cache-control')) ctx.res.setHeader('Cache-Control', 'no-store');
    } catch (thrown) {
      const error = asAppError(thrown);
      countRefusal(call, error);
      throw error;
    } finally {
      if (counts)
        refusals.time(call.refused.siteId ?? sites.fallback().siteId, performance.now() - call.began);
    }
  };
}

/** The answer as it is sent: `ok` first. */
export function jsonText(body: object): string {
  const text = JSON.stringify(body);
  return text === '{}' ? '{"ok":true}' : `{"ok":true,${text.slice(1)}`;
}

function isJson(body: Reply['body']): body is object {
  return typeof body === 'object' && body !== null && !Buffer.isBuffer(body) && !('pipe' in body);
}

/** Sends JSON as a text: Koa looks an object over for streams, blobs and responses before it takes it for JSON. */
function sendJson(ctx: Context, status: number, body: object): void {
  ctx.status = status;
  ctx.res.setHeader('Content-Type', 'application/json; charset=utf-8');
  ctx.body = jsonText(body);
}

export function send(ctx: Context, answer: object | Reply, status = 200): void {
  if (answer instanceof Reply) sendReply(ctx, answer);
  else sendJson(ctx, status, answer);
}

function sendReply(ctx: Context, { status, body, headers }: Reply): void {
  for (const [name, value] of Object.entries(headers)) {
    if (name === 'Vary') ctx.vary(value as string);
    else ctx.set(name, value);
  }
  if (isJson(body)) {
    sendJson(ctx, status, body);
    return;
  }
  ctx.status = status;
  if (body !== null) ctx.body = body;
}

/** What is streamed is held whole here, to be compared as everything else. */
async function checked(route: Route, answer: object | Reply, expected: number): Promise<object | Reply> {
  const isStream =
    answer instanceof Reply && typeof answer.body === 'object' && answer.body && 'pipe' in answer.body;
  if (!isStream || !answer.headers['Content-Type']?.includes('json')) {
    checkAnswer(route, answer, expected);
    return answer;
  }
  const whole = new Reply(answer.status, await textOf(answer.body as Readable), answer.headers);
  checkAnswer(route, whole, expected);
  return whole;
}

/** throws  when the answer is not what the document promises: a fault of ours that only tests may see */
function checkAnswer(route: Route, answer: object | Reply, expected: number): void {
  const reply = answer instanceof Reply ? answer : new Reply(expected, answer);
  const promised = route.answers[reply.status];
  if (!promised) throw new Error(`${route.id} answered ${reply.status}, which its answers do not name`);
  if (reply.status === 304 || isTold(promised)) return;
  const sent = typeof reply.body === 'string' ? reply.body : isJson(reply.body) ? jsonText(reply.body) : null;
  if (sent === null || !(reply.headers['Content-Type'] ?? 'json').includes('json')) return;
  const { ok, ...body } = JSON.parse(sent) as Record<string, unknown>;
  const parsed = promised.safeParse(body);
  const fault = !parsed.success
    ? JSON.stringify(parsed.error.issues)
    : ok !== true
      ? 'no ok'
      : !isDeepStrictEqual(parsed.data, body)
        ? `more than it: ${JSON.stringify(body).slice(0, 500)}`
        : null;
  if (fault) throw new Error(`${route.id} answered what its document does not say: ${fault}`);
}

/** The routes of a running house, and the router that finds them. */
export interface RouteTable {
  routes: Route[];
  router: Router;
  /** The route at a path, of this method or of any; for refusals, which a person may have to be told. */
  at(method: string, path: string): Route | null;
}

export function tableOf(routes: Route[], parts: FrameParts): RouteTable {
  // As written: a rule belongs to the matched route, never to another spelling of its path.
  const router = new Router({ sensitive: true, strict: true });
  const known = new Map<Koa.Middleware, Route>();
  for (const route of routes) {
    const serve = compile(route, parts);
    const pattern = pathOf(route);
    const handle: Koa.Middleware = (ctx) => {
      const call = callOf(ctx);
      call.route = route;
      call.pattern = pattern;
      if (ctx.params) call.params = clean(ctx.params) as Record<string, string>;
      return serve(ctx);
    };
    known.set(handle, route);
    router.register(pattern, [methodOf(route)], handle as never);
  }
  const routeOf = (layer: Router['stack'][number]) => known.get(layer.stack[0] as unknown as Koa.Middleware)!;
  return {
    routes,
    router,
    at(method, path) {
      const layers = router.stack.filter((layer) => layer.match(path));
      const layer = layers.find(({ methods }) => methods.includes(method)) ?? layers[0];
      return layer ? routeOf(layer) : null;
    },
  };
}

/** Of which a route may be; another one is the router's to answer (501). */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE']);

/**
 * Mounts a table as one layer. A route at a fixed path is found in a map, and where no pattern begins like the path nothing is
 * searched: the router's own search cost as much as reading the body.
 */
export function mount(app: Koa, { router }: RouteTable): void {
  const direct = new Map<string, Koa.Middleware>();
  const fixed = new Map<string, string[]>();
  const beginnings: string[] = [];
  for (const { path, methods, stack } of router.stack) {
    if (typeof path !== 'string') continue;
    if (path.includes(':')) {
      const beginning = path.slice(0, path.indexOf(':'));
      if (!beginnings.includes(beginning)) beginnings.push(beginning);
      continue;
    }
    fixed.set(path, [...(fixed.get(path) ?? []), ...methods]);
    for (const method of methods) direct.set(`${method} ${path}`, stack[0] as unknown as Koa.Middleware);
  }
  const search = router.routes() as unknown as Koa.Middleware;
  const otherMethods = router.allowedMethods() as unknown as Koa.Middleware;
  const mayFit = (path: string) => beginnings.some((beginning) => path.startsWith(beginning));
  app.use((ctx, next) => {
    const { method, path } = ctx;
    const found = direct.get(`${method} ${path}`);
    if (found) return found(ctx, next);
    const others = method === 'OPTIONS' ? undefined : fixed.get(path);
    // a path that is written out is never another one's :leadId, whatever the method
    if (others)
      return next().then(() => {
        ctx.status = 405;
        ctx.set('Allow', others.join(', '));
      });
    if (METHODS.has(method) && !mayFit(path)) return next();
    return search(ctx, () => otherMethods(ctx, next) as Promise<void>);
  });
}
