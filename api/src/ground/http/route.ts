// A route is a value: its path, who may call it, for which site, what it takes, its limits, what it answers, what it does.
// Said once, beside its feature; frame.ts compiles it at the start, openapi.ts documents it, tests walk it.
import { z } from 'zod';
import type { Call } from './call.ts';
import type { Capability } from './caller.ts';
import type { LimitName } from './rate-limit.ts';
import type { Reply } from './reply.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** json; a form; JSON as a beacon's text/plain; a table; or `text`: whatever it is, as it is; or `raw`: its bytes. */
export type BodyKind = 'json' | 'form' | 'beacon' | 'csv' | 'text' | 'raw';

/** What can be shown to people without an account, by a link. */
export const VIEWS = [
  'page',
  'summary',
  'timeseries',
  'breakdown',
  'cohorts',
  'attribution',
  'quality',
  'realtime',
] as const;
export type View = (typeof VIEWS)[number];

export interface Takes<In> {
  as: 'query' | readonly BodyKind[];
  /** Of a body, in bytes; Caddy's own bound is larger only for the routes that say so here (a test compares). */
  bytesMax?: number;
  /** Of a form with its files, which are dropped unread. Default: bytesMax. */
  filesBytesMax?: number;
  /** No body at all is an empty object. */
  optional?: boolean;
  /** Of a query: names that may stand there again, read as a list of texts. Of any other only the first counts. */
  lists?: readonly string[];
  /** What is valid: checked by the frame, and documented. */
  shape?: z.ZodType<In>;
  /**
   * Documented only, before `shape`: where the route checks it itself, because one wrong field or event must not cost
   * the rest, or where the shape cannot say what it takes.
   */
  documents?: z.ZodType;
  /** The same as a form, where its fields have other names. */
  formDocuments?: z.ZodType;
  /** A table as the object that `shape` checks. */
  readTable?(text: string, call: Call): Promise<unknown>;
}

/** Not JSON: said in words, with its media type. */
export interface Told {
  says: string;
  type?:
    | 'text/html'
    | 'text/event-stream'
    | 'text/csv'
    | 'text/plain'
    | 'text/javascript'
    | 'image/gif'
    | 'application/json';
  /** Of JSON that is not in our shape, for the document. */
  shape?: z.ZodType;
}
/** By status; JSON shapes without `ok`, which the frame adds. The first is that of a plain object. */
export type Answers = Record<number, z.ZodType | Told>;

export type WriteRoute = 'events' | 'pixel' | 'capture';

// biome-ignore lint/suspicious/noExplicitAny: a list holds routes of every input; each is checked where it is made
export interface Route<In = any> {
  at: `${Method} /${string}`;
  /** operationId of the OpenAPI document, and the verb of a client made from it. */
  id: string;
  says: string;
  tag: string;
  /**
   * A capability; or `caller`: whoever is let in, and what they may is asked further in; or `inside`: the internal network, or whoever may look at the machine; or `person`: whoever signed in,
   * about themselves.
   */
  who: 'anyone' | 'inside' | 'person' | 'caller' | Capability;
  /** A person who signed in proves again who they are, when their last proof is older than ten minutes (POST /v1/auth/prove). */
  proof?: 'fresh';
  /**
   * page   the site of the page that sends this: by its propertyId, else by its origin
   * named  the caller's site that propertyId names by key or id, else the first of theirs
   * path   the caller's site that :siteId names by key or id; 404 when there is none
   * all    every site of the caller
   * named or all  the one that propertyId names, else every site of the caller
   */
  of?: 'page' | 'named' | 'path' | 'all' | 'named or all';
  takes?: Takes<In>;
  /** Points of which limit a call takes. Default other; none: not limited. */
  bucket?: LimitName | 'none';
  /** A write of visitors: its refusals and its server time go into the ledger under this name. */
  counts?: WriteRoute;
  /** Waits (503) while the disk is nearly full: visits do, people don't. */
  waitsForRoom?: boolean;
  /** Of work that few do at once: asked once the caller is let in, before the body is read. throws  unavailable */
  mustHavePlace?(): void;
  /**
   * Every change an administrator makes, and every look at people, leaves a line in the audit log. A look that shows
   * nobody says so here, or one that shows a person themselves and is asked by every page they open.
   */
  shows?: 'no people' | 'oneself';
  /** Changes nothing, though it is no GET: what it asks stands in its body, because an address has no place in a URL. */
  looks?: true;
  /** Who holds a link to their own data sees or changes it: noted like an administrator's, once the link has told whose. */
  isSubjects?: true;
  /** May be shared by a link; without it, nobody who has one gets in. */
  view?: View;
  /** The query may ask for the same answer as a table, by format=csv. */
  asTable?: boolean;
  /** Asked so often that its lines in the log would hide the others: told at debug; or only what was refused is told. */
  quiet?: true | 'when taken';
  /**
   * A person sees its refusals as a page: always (a link in a mail), or where a plain form was sent; or, in a frame of
   * somebody else's page, as an empty one that loads itself again; or in a picture's place as an empty picture.
   */
  tells?: 'link' | 'form' | 'frame' | 'picture';
  answers: Answers;
  run(input: In, call: Call): Promise<object | Reply> | object | Reply;
}

/** For inference: In is what takes.shape makes. */
export const route = <In>(value: Route<In>): Route<In> => value;

export function methodOf({ at }: Pick<Route, 'at'>): Method {
  return at.slice(0, at.indexOf(' ')) as Method;
}
export function pathOf({ at }: Pick<Route, 'at'>): string {
  return at.slice(at.indexOf(' ') + 1);
}
export const parametersOf = (one: Pick<Route, 'at'>): string[] =>
  [...pathOf(one).matchAll(/:(\w+)/g)].map(([, name]) => name!);

/** Whether a path is this route's, whatever the method. */
export const isAt = (one: Pick<Route, 'at'>, path: string): boolean =>
  new RegExp(`^${pathOf(one).replace(/:\w+/g, '[^/]+')}$`).test(path);

export const isTold = (answer: z.ZodType | Told): answer is Told => !(answer instanceof z.ZodType);

/** Status and shape of the JSON answer of a call that succeeded; null: it answers none. */
export function jsonAnswerOf(answers: Answers): { status: number; shape: z.ZodType } | null {
  for (const [status, answer] of Object.entries(answers))
    if (!isTold(answer)) return { status: Number(status), shape: answer };
  return null;
}
