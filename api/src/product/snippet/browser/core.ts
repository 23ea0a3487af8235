// The heart of the snippet: page views, custom events, consent, and a queue that loses nothing.
// It is a guest on someone else's page: one global, nothing thrown, nothing stored without consent.

/** Fields of an event beyond the ones that every event has; shapes as in the contract, section 3. */
export interface EventFields {
  eventId?: string | undefined;
  path?: string | undefined;
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
  /** Set by the build: the hash of the notifications, as in their address. */
  const PROOF: string;
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

/** Queues an event; see below. */
export interface Send {
  (eventType: string | false, fields?: EventFields): string | undefined;
  /**
   * A hook of the full bundle, called when the page hides (true) or shows again (false), ahead of the queue's
   * dispatch, and before the next page of a single-page site begins (undefined).
   */
  leave?: (hidden?: boolean) => unknown;
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

/** The page that is open; with data-hash, the route that the fragment names is a part of it. */
export const here = () =>
  location.pathname + (('hash' in tag.dataset && location.hash.match(/\/[^?]*/)) || '');

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
export const on = (types: string, listener: (event: any) => unknown) =>
  types.split(' ').map((type) => addEventListener(type, safe(listener), 1 as unknown as boolean));

// Where storage is blocked a plain object stands in: what it keeps lasts as long as the page.
const box: Record<string, string> = safe(() => localStorage)() || {};
// Where it is full nothing happens; what is queued waits in memory as well.
const set = safe((key: string, value: string) => (box[key] = value));

// crypto.randomUUID exists in secure contexts only, and sites on plain http count too. An id has to be another one
// than all others, not a secret: a UUID of version 8 (its contents are its maker's), which begins with the half minute,
// so that new ones stand together in an index, and has eighteen random digits.
export const uuid = () =>
  ((Date.now() / 3e4) | 0) +
  '-8xxx-8xxx-8xxx-8xxx8xxx8xxx'.replace(/x/g, () => ((Math.random() * 10) | 0) as unknown as string);

// Modules have no currentScript, and loaders that run scripts by themselves take it away: then by our own name, and
// under another one (a pinned version, a proxy) by what the tag says of itself.
export const tag = (document.currentScript ||
  document.querySelector(`[src*="/s${FULL ? '' : '-core'}.js"]`) ||
  document.querySelector('[src][data-site]')) as HTMLScriptElement;
let { site, consent } = tag.dataset;

/** Where everything goes: addresses begin so. */
export const endpoint = new URL(FULL ? '/v1/' : '/v1/events', tag.src);

// All keys of ours begin with _mkt7, and nobody else's do: each site has its own, and _mkt7 itself says that this
// browser is left out.
const own = '_mkt7' + site + ':';

let pageId = uuid();
/** The page that was viewed last. */
export let path: string | undefined;
/** The address of that view; none before the first that counted. */
let landed: string | undefined;
/** What is not acknowledged, by its storage key. */
let queue: Record<string, string> = {};
let timer: unknown;

// `off`, `page` and `full` are themselves, all else is the default, which keeps nothing and sends no id. Asked
// anew for each event, so that a choice made in another tab holds here too. A signal of the browser ends the id for good:
// who takes it back is somebody new. So do a million half minutes, 347 days, of which the id tells by its beginning; only the
// first question after them gets another answer, and that is the one whether anything is counted at all.
const mode = (wanted = (FULL && box._mkt7) || box[own] || consent) =>
  (wanted == 'full' &&
    ((box[own + 'id']! < Date.now() / 3e4 - 1e6 + '') as never) |
      (navigator.globalPrivacyControl as never) |
      (((navigator.doNotTrack as never) > 0) as never) &&
    delete box[own + 'id']) ||
  wanted;

/** The visitor's id: kept for `full`, as long as storage allows; of this page alone for `page`; else none. */
export const id = () =>
  mode() == 'full'
    ? box[own + 'id'] || set(own + 'id', pageId) || pageId
    : { page: pageId }[mode() as string];

// Each queued event has a storage key of its own, so that tabs which write and remove at the same moment can't
// lose each other's. What two tabs both send is recognised by its eventId.
const forget = (key: string) => delete box[key] && delete queue[key];

const flush = async () => {
  // The newest first: what found nobody before must not stand in front of what happens now.
  const batch = Object.keys(mode() == 'off' ? (queue = {}) : queue).slice(-BATCH_EVENTS_MAX);
  let events: string;
  while ((events = batch.map((key) => queue[key]) + '')[BATCH_CHARS_MAX]) batch.shift();
  timer =
    batch[0] &&
    setTimeout(
      flush,
      // A string goes as text/plain, which needs no preflight; keepalive outlives the page. sendBeacon would do
      // both, but never tells whether the server took it.
      await fetch(FULL ? endpoint + 'events' : endpoint, {
        method: 'POST',
        keepalive: 1 as unknown as boolean,
        body: `{"sentAt":${Date.now()},"events":[${events}]}`,
      }).then(
        // These and no answer at all: kept. Anything else is final: stored, or refused in a way that no
        // repetition will change.
        (answer) =>
          /42[59]|408|^5/.test(answer.status as unknown as string)
            ? RETRY_MS
            : (batch.map(forget), GATHER_MS),
        () => RETRY_MS,
      ),
    );
};

/**
 * Queues an event, unless the mode is `off`.
 * fields   override what every event has, such as its path
 * returns  its eventId, minted now unless given, and kept on every resend; undefined when nothing is counted
 */
export const send: Send = safe((eventType: string | false, fields?: EventFields): string | undefined => {
  if (mode() != 'off' && eventType) {
    const eventId = fields?.eventId || uuid();
    const text = JSON.stringify({
      eventType,
      timestamp: Date.now(),
      propertyId: site,
      anonId: id(),
      ...fields,
      eventId,
      traffic: {
        // An iPad says that it is a Mac; no Mac can be touched.
        ...(FULL &&
          /^5.*Maci/.test(navigator.maxTouchPoints + navigator.userAgent) && { deviceType: 'tablet' }),
        ...(navigator.webdriver && { deviceType: 'bot' }),
        ...fields?.traffic,
      },
      path: fields?.path || (FULL ? here() : location.pathname),
    });
    if (!text[BATCH_CHARS_MAX]) {
      queue[own + eventId] = text;
      mode() == 'full' && set(own + eventId, text);
      Object.keys(queue).slice(0, -QUEUE_EVENTS_MAX).map(forget);
      timer ||= setTimeout(flush, GATHER_MS);
    }
    return eventId;
  }
  return undefined;
});

// Counts a page view if the path is a new one, or if the page is shown anew: an event says that it was kept
// (`persisted`). Anything else that is passed, such as the state of pushState, says nothing.
const view = safe((event?: unknown) => {
  const now = FULL ? here() : location.pathname;
  if (path != now || (event as PageTransitionEvent).persisted) {
    FULL && send.leave?.();
    path = now;
    // A campaign belongs to the landing: the next page of a single-page site, or a page come back to, has none.
    // Other parameters hold names, addresses and tokens; they stay here. Spellings are the server's to understand.
    const query = !landed && location.href.match(/\b(utm_|(\w*(clk?|bra)id|ref|source)=)[^&#]*/gi);
    // A frame of a page of the same origin is a part of that page, and no page; a stranger shows us no element.
    if (
      !frameElement &&
      send('page_view', {
        path: query ? now + '?' + query.join('&') : now,
        referrer: landed || document.referrer.match(/[^?]+/)?.join(),
      })
    )
      landed = origin + now;
  }
});

const commands: Commands = {
  event: send as Commands[string],
  consent(wanted) {
    // Agreed or withdrawn: what follows can't be tied to what came before, which is told as before; and withdrawn is
    // what was stored, too.
    FULL && send.leave?.();
    pageId = uuid();
    Object.keys(box).map((key) => wanted == 'full' || key.indexOf(own) || forget(key));
    // Where storage is full it holds as long as the page.
    set(own, (consent = wanted as string));
    // As if the page had not been seen yet.
    landed || view((path = landed));
  },
  id,
};

const obey = safe(([name, ...args]: unknown[]) => commands[name as string]!(...args));

/** After what the page calls under that name comes our work, with the same arguments. */
// biome-ignore lint/suspicious/noExplicitAny: whatever the page calls, with whatever it passes
const follow = (host: any, name: string, work: (...args: any) => unknown, original = host[name]) =>
  (host[name] = (...args: unknown[]) => (original.apply(host, args), work(...args)));

const run = () => {
  // An element with id="mkt" is self.mkt too, and gives way. Whatever else the page has under this name is the page's.
  const given = self.mkt as Mkt | undefined;
  const mkt = (given?.map ? given : !given || given.nodeType ? (self.mkt = []) : []) as Mkt;
  // The tag of another site on this page goes its own way; a second one of the same site does not.
  if (mkt[own]) return;
  mkt[own] = 1;
  // `#mkt=off` leaves this browser out; with anything else after it, such as `on`, it is back.
  FULL && (location + '').replace(/\bmkt=(off|)/, (_, off) => set('_mkt7', off) as unknown as string);
  // The id and the choice are no JSON.
  Object.keys(box).map(
    safe((key) => key.indexOf(own) || (JSON.parse(box[key]!).eventId && (queue[key] = box[key]!))),
  );
  mkt.map(obey);
  // The array goes on growing, for a tag that comes later, and the tags before us hear each command too.
  follow(mkt, 'push', obey);
  Object.keys(commands).map((name) => (mkt[name] = (...args: unknown[]) => mkt.push([name, ...args])));
  follow(history, 'pushState', view);
  follow(history, 'replaceState', view);
  // Pages that intercept `navigate` call neither of the two.
  FULL && self.navigation?.addEventListener('currententrychange', view);
  on('pageshow popstate', view);
  on('online visibilitychange', FULL ? () => (send.leave?.(document.hidden), flush()) : flush);
  view();
};

// A page saved to a disk is not the site, and its path tells who saved it; "file" comes before "h", http after it.
if ((location as unknown as string) > 'h') document.prerendering ? on('prerenderingchange', run) : run();
