// The heart of the snippet: page views, custom events, consent, and a queue that loses nothing.
// It is a guest on someone else's page: one global, nothing thrown, nothing stored without consent.

/** Fields of an event beyond the ones that every event has; shapes as in the contract, section 3. */
export interface EventFields {
  eventId?: string | undefined;
  path?: string;
  timestamp?: number;
  referrer?: string | undefined;
  utm?: Record<string, string | undefined> | undefined;
  props?: unknown;
  traffic?: object;
}

/** What a page sees as `self.mkt`: the array of its commands, which the script makes able to do more. */
export interface Mkt extends Array<unknown[]> {
  /** Sites that a tag of this page counts already, and the commands by name. */
  // biome-ignore lint/suspicious/noExplicitAny: both under one kind of key
  [name: string]: any;
  event(eventType: string, fields?: EventFields): string | undefined;
  consent(mode: string): void;
  id(): string | false | undefined;
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

// UUIDv7. crypto.randomUUID exists in secure contexts only, and sites on plain http count too. An id has to be
// another one than all others, not a secret: the millisecond and eighteen random digits.
export const uuid = () =>
  `0${Date.now().toString(16)}-7xxx-8xxx-xxxxxxxxxxxx`.replace(/^.{8}|x/g, (part) =>
    part[1] ? part + '-' : (((Math.random() * 10) | 0) as unknown as string),
  );

// Modules have no currentScript, and loaders that run scripts by themselves take it away.
const script = (document.currentScript ||
  document.querySelector(`script[src*="/s${FULL ? '' : '-core'}.js"]`)) as HTMLScriptElement;
const { dataset } = script;
// A template's empty variable is no site.
const site = dataset.site || undefined;

// All keys of ours begin with _mkt7, and nobody else's do: each site has its own, and _mkt7 itself says that this
// browser is left out.
const own = `_mkt7${site}:`;
const ID = `${own}id`;
const eachStored = (work: (key: string) => unknown) => {
  for (const key in box) key.startsWith(own) && work(key);
};

/**
 * A hook of the full bundle, called when the page hides (true) or shows again (false), ahead of the queue's
 * dispatch, and before the next page of a single-page site begins (undefined).
 */
export const hooks: { leave?: (hidden?: boolean) => unknown } = {};

/** A frame of a page of the same origin is a part of that page, and no page. A stranger's window throws. */
export const framed = self != top && safe(() => top!.document)();

let pageId = uuid();
let path: string | undefined;
let landed: string | undefined;
/** What is not acknowledged, by eventId. */
let queue: Record<string, string> = {};
let timer = 0;

/** The page that is open; with data-hash, the route that the fragment names is a part of it. */
export const here = () =>
  FULL
    ? (location.pathname + ('hash' in dataset ? location.hash : '')).replace(/\/?#!?\/?/, '/').split('?')[0]!
    : location.pathname;

// `off`, `page` and `full` are themselves, all else is the default, which keeps nothing and sends no id. Asked
// anew for each event, so that a choice made in another tab holds here too.
const mode = () => {
  const wanted = box._mkt7 || box[own] || dataset.consent;
  return (
    (wanted == 'full' && (navigator.globalPrivacyControl || (navigator.doNotTrack as unknown) == 1)) || wanted
  );
};

/** The visitor's id: kept for `full`, as long as storage allows; of this page alone for `page`; else none. */
export const id = () =>
  mode() == 'full' ? (box[ID] || set(ID, pageId), box[ID]) : mode() == 'page' ? pageId : undefined;

// Each queued event has a storage key of its own, so that tabs which write and remove at the same moment can't
// lose each other's. What two tabs both send is recognised by its eventId.
const forget = (eventId: string) => {
  delete queue[eventId];
  delete box[own + eventId];
};

const flush = async () => {
  if (mode() == 'off') queue = {};
  // The newest first: what found nobody before must not stand in front of what happens now.
  const batch = Object.keys(queue).slice(-BATCH_EVENTS_MAX);
  const events = () => batch.map((eventId) => queue[eventId]) + '';
  while (events()[BATCH_CHARS_MAX]) batch.shift();
  if (batch[0]) {
    let wait = RETRY_MS;
    try {
      // A string goes as text/plain, which needs no preflight; keepalive outlives the page. sendBeacon would do
      // both, but never tells whether the server took it.
      const { status } = await fetch(new URL('/v1/events', script.src), {
        method: 'POST',
        body: `{"sentAt":${Date.now()},"events":[${events()}]}`,
        keepalive: 1 as unknown as boolean,
      });
      // These and no answer at all: kept. Anything else is final: stored, or refused in a way that no
      // repetition will change.
      if (!/^5|408|42[59]/.test(status as unknown as string)) {
        batch.map(forget);
        wait = GATHER_MS;
      }
    } catch {}
    timer = setTimeout(flush, wait);
  } else timer = 0;
};

/**
 * Queues an event, unless the mode is `off`.
 * fields   override what every event has, such as its path
 * returns  its eventId, minted now unless given, and kept on every resend; undefined when nothing is counted
 */
export const send = safe((eventType: string | false, fields?: EventFields): string | undefined => {
  if (eventType && mode() != 'off') {
    const eventId = fields?.eventId || uuid();
    const text = JSON.stringify({
      anonId: id(),
      eventType,
      timestamp: Date.now(),
      propertyId: site,
      ...fields,
      eventId,
      path: (fields?.path || path || here()).slice(0, 2e3),
      traffic: {
        // An iPad says that it is a Mac; no Mac can be touched.
        deviceType: navigator.webdriver
          ? 'bot'
          : FULL && navigator.maxTouchPoints > 1 && /Macintosh/.test(navigator.userAgent)
            ? 'tablet'
            : undefined,
        ...fields?.traffic,
      },
    });
    if (text.length < BATCH_CHARS_MAX) {
      queue[eventId] = text;
      mode() == 'full' && set(own + eventId, text);
      const waiting = Object.keys(queue);
      waiting[QUEUE_EVENTS_MAX] && forget(waiting[0]!);
      timer ||= setTimeout(flush, GATHER_MS);
    }
    return eventId;
  }
  return undefined;
});

// Counts a page view if the path is a new one, or if `again` is 1: the same page is shown anew.
const view = safe((again?: unknown) => {
  const now = here();
  if (now != path || again == 1) {
    FULL && hooks.leave?.();
    path = now;
    // A campaign belongs to the landing: the next page of a single-page site, or a page come back to, has none.
    // Other parameters hold names, addresses and tokens; they stay here. Spellings are the server's to understand.
    const query = !landed && (location + '').match(/\b(utm_[^=&#]*|\w*(clk?|bra)id|ref|source)=[^&#]*/gi);
    if (
      !framed &&
      send('page_view', {
        path: now + (query ? '?' + query.join('&') : ''),
        referrer: landed || document.referrer.match(/[^?]{1,2000}/)?.[0],
      })
    )
      landed = origin + now;
  }
});

const commands: Commands = {
  event: send as Commands[string],
  consent(wanted) {
    if (wanted != 'full') {
      // Withdrawn: what was stored goes, and what follows can't be tied to what came before.
      pageId = uuid();
      eachStored((key) => delete box[key]);
    }
    set(own, wanted as string);
    landed || view(1);
  },
  id,
};

const run = () => {
  // An element with id="mkt" is self.mkt too, and gives way. Whatever else the page has under this name is the page's.
  const given = self.mkt as Mkt | undefined;
  const mkt = given?.map ? given : ([] as unknown as Mkt);
  if (!given || given.nodeType) self.mkt = mkt;
  // The tag of another site on this page goes its own way; a second one of the same site does not.
  if (mkt[own]) return;
  mkt[own] = 1;
  const obey = safe(([name, ...args]: unknown[]) => commands[name as string]!(...args));
  const staff = FULL && /[?&#]mkt=(off)?/.exec(location as unknown as string);
  if (staff) set('_mkt7', staff[1] || '');
  // The id and the choice are no JSON.
  eachStored(
    safe((key) => {
      const { eventId } = JSON.parse(box[key]!);
      if (eventId) queue[eventId] = box[key]!;
    }),
  );
  mkt.map(obey);
  const { push } = mkt;
  // The array goes on growing, for a tag that comes later, and the tags before us hear each command too.
  mkt.push = (command: unknown[]) => (push.call(mkt, command), obey(command)) as number;
  for (const name in commands) mkt[name] = (...args: unknown[]) => mkt.push([name, ...args]);
  (['pushState', 'replaceState'] as const).map((name) => {
    const original = history[name];
    history[name] = (...args) => {
      original.apply(history, args);
      view();
    };
  });
  // Pages that intercept `navigate` call neither of the two.
  FULL && self.navigation?.addEventListener('currententrychange', view);
  on('popstate', view);
  on('pageshow', (event) => event.persisted && view(1));
  on('online', flush);
  on('visibilitychange', FULL ? () => (hooks.leave?.(document.hidden), flush()) : flush);
  view();
};

// A page saved to a disk is not the site, and its path tells who saved it.
if (/^http/.test(location as unknown as string))
  document.prerendering ? on('prerenderingchange', run) : run();
