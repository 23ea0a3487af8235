// The heart of the snippet: page views, custom events, consent, and a queue that loses nothing.
// It is a guest on someone else's page: one global, nothing thrown, nothing stored without consent.

/** Fields of an event beyond the ones that every event has; shapes as in the contract, section 3. */
export interface EventFields {
  path?: string;
  timestamp?: number;
  referrer?: string | undefined;
  utm?: Record<string, string | undefined> | undefined;
  props?: unknown;
  traffic?: unknown;
}

/** What a page sees as `self.mkt`. Until the script has loaded it is a plain array of commands. */
export interface Mkt {
  push(command: unknown[]): unknown;
  event(eventType: string, fields?: EventFields): string | undefined;
  consent(mode: string): void;
  id(): string | false;
}

type Commands = Record<string, (...args: unknown[]) => unknown>;

declare global {
  /** Set by the build: false in the small bundle, whose code for it is then left out. */
  const FULL: boolean;
  interface Window {
    mkt?: Mkt | unknown[][];
  }
  interface Navigator {
    globalPrivacyControl?: boolean;
  }
  interface Document {
    prerendering?: boolean;
  }
}

// A quarter of the 64 KB that the server and fetch's keepalive both allow: a character may take three bytes,
// and a hiding page may send a second batch while the first is under way.
const BATCH_CHARS_MAX = 16e3;
const BATCH_EVENTS_MAX = 50;
const QUEUE_EVENTS_MAX = 255;
// A quarter of a second: long enough to gather what happens together, short enough for a live view.
const GATHER_MS = 255;
// Half of the minute that the server's limits count, and far enough apart to let it recover.
const RETRY_MS = 3e4;

/** Wraps what may fail (storage is blocked, a caller passes nonsense), so that the page never sees it. */
export const safe =
  <A extends unknown[], R>(work: (...args: A) => R) =>
  (...args: A): R | undefined => {
    try {
      return work(...args);
    } catch {}
    return undefined;
  };

/** Listens on window in the capture phase: ahead of the page's own handlers, which may stop the event. */
// biome-ignore lint/suspicious/noExplicitAny: each listener names the fields it reads; the DOM's types know no target's form
export const on = (type: string, listener: (event: any) => unknown) =>
  addEventListener(type, safe(listener), 1 as unknown as boolean);

// Where storage is blocked a plain object stands in: what it keeps lasts as long as the page.
let box: Record<string, string> = {};
try {
  box = localStorage || box;
} catch {}
const set = (key: string, value: string) => {
  try {
    box[key] = value;
  } catch {
    // Full: from here on we keep for as long as the page lasts.
    box = { ...box, [key]: value };
  }
};
const eachStored = (work: (key: string) => unknown) => {
  for (const key in box) /^mkt_/.test(key) && work(key);
};

// UUIDv7. crypto.randomUUID exists in secure contexts only, and sites on plain http count too.
const uuid = () =>
  `0${Date.now().toString(16)}-7xxx-8xxx-xxxxxxxxxxxx`
    .replace(/.{8}/, '$&-')
    .replace(/x/g, () => (crypto.getRandomValues(new Uint8Array(1))[0]! & 15).toString(16));

const script = document.currentScript as HTMLScriptElement;

/**
 * A hook of the full bundle, called when the page hides (true) or shows again (false), ahead of the queue's
 * dispatch, and before the next page of a single-page site begins (undefined).
 */
export const hooks: { leave?: (hidden?: boolean) => unknown } = {};

let pageId = uuid();
let path: string | undefined;
let landed: string | undefined;
let queue: string[] = [];
let timer = 0;

// `off` and `full` are themselves, all else is `measure`. Asked anew for each event, so that a choice made in
// another tab holds here too.
const mode = () => {
  const wanted = box.mkt_consent || script.dataset.consent;
  return (
    (wanted == 'full' && (navigator.globalPrivacyControl || (navigator.doNotTrack as unknown) == 1)) || wanted
  );
};

/** The visitor's id: kept for `full`; for `measure`, and where storage is blocked, of this page alone. */
export const id = () =>
  mode() == 'full' ? (box.mkt_id || set('mkt_id', pageId), box.mkt_id!) : mode() != 'off' && pageId;

// Each queued event has a storage key of its own, so that tabs which write and remove at the same moment can't
// lose each other's. What two tabs both send is recognised by its eventId, which stands first in its text.
const forget = (text: string) => delete box['mkt_' + text.slice(12, 48)];

const later = (ms: number) => {
  timer ||= setTimeout(flush, ms);
};

const flush = async () => {
  timer = 0;
  if (mode() == 'off') queue = [];
  const batch: string[] = [];
  while (queue[0] && batch.length < BATCH_EVENTS_MAX && (batch + queue[0]).length < BATCH_CHARS_MAX)
    batch.push(queue.shift()!);
  if (batch[0]) {
    let again: unknown = 1;
    try {
      // A string goes as text/plain, which needs no preflight; keepalive outlives the page. sendBeacon would do
      // both, but never tells whether the server took it.
      const answer = await fetch(new URL('/v1/events', script.src), {
        method: 'POST',
        body: `{"events":[${batch}]}`,
        keepalive: 1 as unknown as boolean,
      });
      // 429, 5xx and no answer at all: kept. Anything else is final: stored, or refused in a way that no
      // repetition will change.
      again = answer.status > 428;
    } catch {}
    if (again) queue = batch.concat(queue);
    else batch.map(forget);
    later(again ? RETRY_MS : GATHER_MS);
  }
};

/**
 * Queues an event, unless the mode is `off`.
 * fields   override what every event has, such as its path
 * returns  its eventId, minted now and kept on every resend; undefined when nothing is counted
 */
export const send = safe((eventType: string, fields?: EventFields): string | undefined => {
  const anonId = id();
  if (anonId) {
    const eventId = uuid();
    const text = JSON.stringify({
      eventId,
      anonId,
      eventType,
      path,
      timestamp: Date.now(),
      propertyId: script.dataset.site,
      ...fields,
    });
    if (text.length < BATCH_CHARS_MAX) {
      queue.push(text);
      if (anonId == box.mkt_id) set('mkt_' + eventId, text);
      queue[QUEUE_EVENTS_MAX] && forget(queue.shift()!);
      later(GATHER_MS);
    }
    return eventId;
  }
  return undefined;
});

// Counts a page view if the path is a new one, or if `again` is 1: the same page is shown anew.
const view = safe((again?: unknown) => {
  const here = location.pathname;
  if (here != path || again == 1) {
    FULL && hooks.leave?.();
    path = here;
    let utm: EventFields['utm'];
    // A campaign belongs to the landing: the next page of a single-page site, or a page come back to, has none.
    const query = new URLSearchParams(landed ? '' : location.search);
    for (const [key, value] of [...query]) {
      if (/^utm_/.test(key)) (utm ||= {})[key.slice(4)] = value.slice(0, 255).trim() || undefined;
      // Other parameters hold names, addresses and tokens; they stay here.
      /clk?id|braid/.test(key) || query.delete(key);
    }
    if (
      send('page_view', {
        path: here + (query + '' && '?' + query),
        referrer: landed || document.referrer.split('?')[0] || undefined,
        utm,
      })
    )
      landed = origin + here;
  }
});

const run = () => {
  eachStored((key) => key > 'mkt_a' || queue.push(box[key]!));
  // A second copy of the script finds no array here, and stops before it counts anything twice.
  const early = ((self.mkt || []) as unknown[][]).slice();
  const mkt: Mkt = (self.mkt = {
    push: safe(([name, ...args]) => (mkt as unknown as Commands)[name as string]!(...args)),
    event: send,
    consent: safe((wanted) => {
      if (wanted != 'full') {
        // Withdrawn: what was stored goes, and what follows can't be tied to what came before.
        if (box.mkt_id) pageId = uuid();
        eachStored((key) => delete box[key]);
      }
      set('mkt_consent', wanted);
      landed || view(1);
    }),
    id,
  });
  early.map(mkt.push);
  (['pushState', 'replaceState'] as const).map((name) => {
    const original = history[name];
    history[name] = (...args) => {
      original.apply(history, args);
      view();
    };
  });
  on('popstate', view);
  on('pageshow', (event) => event.persisted && view(1));
  on('online', flush);
  on('visibilitychange', FULL ? () => (hooks.leave?.(document.hidden), flush()) : flush);
  view();
};

document.prerendering ? on('prerenderingchange', run) : run();
