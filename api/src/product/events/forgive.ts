// One wrong field never costs the rest: an event as valid as it can be made by leaving out or cutting what is wrong with it.
import { issuesOf, validate } from '../../ground/http/validate.ts';
import { AppError, type Issue } from '../../ground/lib/app-error.ts';
import { cutText } from '../../ground/lib/text.ts';
import {
  type EventInput,
  eventInput,
  PROPS_BYTES_MAX,
  PROPS_DEPTH_MAX,
  PROPS_KEYS_MAX,
  PROPS_TEXT_MAX,
} from './schema.ts';

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isBlank = (value: unknown) => value === null || (typeof value === 'string' && value.trim() === '');

// Whose event, which, when and where: without these it is another event, so a fault of theirs is the event's.
const IDENTIFIES = new Set([
  'anonId',
  'eventType',
  'propertyId',
  'traffic.propertyId',
  'timestamp',
  'sentAt',
  'path',
]);
const TEXT_LENGTH_MAX: Record<string, number> = { path: 2048, referrer: 2048, utm: 255 };
// Each round mends every fault the schema names; a second one is needed where a fault hid another.
const ROUNDS_MAX = 3;

/** An open object within the bounds of `props`: texts cut, what is too deep or too much left out. */
export function fitted(value: Fields): Fields {
  let keys = 0;
  const walk = (part: unknown, depth: number): unknown => {
    if (typeof part === 'string') return cutText(part, PROPS_TEXT_MAX);
    if (typeof part !== 'object' || part === null) return part;
    if (depth > PROPS_DEPTH_MAX) return undefined;
    if (Array.isArray(part)) return part.map((entry) => walk(entry, depth + 1) ?? null);
    const kept: Fields = {};
    for (const [key, entry] of Object.entries(part)) {
      if (key.length > PROPS_TEXT_MAX || keys >= PROPS_KEYS_MAX) continue;
      keys += 1;
      const fit = walk(entry, depth + 1);
      if (fit !== undefined) kept[key] = fit;
    }
    return kept;
  };
  let bytes = 2;
  return Object.fromEntries(
    Object.entries(walk(value, 1) as Fields).filter(([key, entry]) => {
      const more = Buffer.byteLength(JSON.stringify({ [key]: entry })) - 1;
      if (bytes + more > PROPS_BYTES_MAX) return false;
      bytes += more;
      return true;
    }),
  );
}

/** The event with containers of its own as far down as a fault can stand, so that the body stays as it was sent. */
function copied(body: Fields): Fields {
  const copy = { ...body };
  for (const name of ['utm', 'traffic']) if (isObject(copy[name])) copy[name] = { ...copy[name] };
  const { traffic } = copy;
  if (isObject(traffic) && isObject(traffic.webVitals)) traffic.webVitals = { ...traffic.webVitals };
  return copy;
}

/** What says nothing where nothing need be said: an empty template variable, a time that is null. */
function withoutBlanks(event: Fields): void {
  if (isBlank(event.propertyId)) delete event.propertyId;
  if (isObject(event.traffic) && isBlank(event.traffic.propertyId)) delete event.traffic.propertyId;
  for (const name of ['timestamp', 'sentAt']) if (event[name] === null) delete event[name];
}

/** returns  what was done; null: this fault is the event's */
function mend(event: Fields, path: string[], rule: string): string | null {
  const name = path[0];
  if (name === undefined) return null;
  const holder = path
    .slice(0, -1)
    .reduce<unknown>((part, key) => (isObject(part) ? part[key] : undefined), event);
  const key = path.at(-1)!;
  if (!isObject(holder) || !(key in holder)) return null;
  const value = holder[key];
  const max = TEXT_LENGTH_MAX[name];
  if (max !== undefined && typeof value === 'string' && value.trim().length > max) {
    holder[key] = cutText(value.trim(), max);
    return `was cut at ${max} characters`;
  }
  if (name === 'props' && isObject(value)) {
    event.props = fitted(value);
    return `was cut: it ${rule}`;
  }
  if (IDENTIFIES.has(path.join('.'))) return null;
  delete holder[key];
  return `was left out: ${rule}`;
}

export interface ReadEvent {
  event: EventInput;
  warnings: Issue[];
}

const NO_WARNINGS: Issue[] = [];

/** throws invalid_request with the path of every fault, when one of what identifies an event is missing or wrong */
export function forgive(body: unknown): ReadEvent {
  if (!isObject(body)) return { event: validate(eventInput, body), warnings: NO_WARNINGS };
  const event = copied(body);
  withoutBlanks(event);
  const warnings: Issue[] = [];
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const parsed = eventInput.safeParse(event);
    if (parsed.success) return { event: parsed.data, warnings };
    for (const issue of parsed.error.issues) {
      const path = issue.path.map(String);
      const done = mend(event, path, issue.message);
      if (done) warnings.push({ path: path.join('.'), message: done });
      else if (IDENTIFIES.has(path.join('.')) || path.length === 0) throw faulty(parsed.error);
    }
  }
  return { event: validate(eventInput, event), warnings };
}

function faulty(error: Parameters<typeof issuesOf>[0]): AppError {
  const issues = issuesOf(error).filter(({ path }) => path === '' || IDENTIFIES.has(path));
  const where = issues.map(({ path }) => path || 'the body').join(', ');
  return new AppError('invalid_request', `Some fields are not as they should be: ${where}.`, { issues });
}
