// p.js: shows a site's notifications on its pages. A guest there: nothing thrown, nothing moved, nobody else asked, and nothing
// kept that was not agreed to.
import { put } from './card.ts';
import { type Review, type Style, sheetOf, type Variant, type When, type Words } from './draw.ts';
import {
  type Cap,
  fullId,
  isFor,
  lang,
  mkt,
  newPage,
  noteDismissed,
  noteShown,
  safe,
  site,
  tag,
  visit,
  type Where,
  waitFor,
} from './page.ts';

interface Item {
  id: string;
  variants: Variant[];
  where: Where;
  when: When;
  cap: Cap;
  /** It may name a person. */
  named?: boolean;
  /** Of its words. */
  lang?: string;
  source?: { url: string; statedOn: string } | null;
  review?: Review | null;
}
interface Test {
  testId: string;
  notificationId: string;
  split: { key: string; share: number }[];
}
interface Feed {
  items: Item[];
  tests?: Test[];
  styles?: Record<string, Style>;
  words?: Words;
}

// A card may name a person, who may take that back at any moment. What a page knows of it is asked for again when it is so
// old, and what is older is not seen, whoever does not answer and however long the page was away: with the 2 s that a feed may
// take to know, nobody is shown 30 s after they took it back.
const NAMED_MS = 15e3;
const UNKNOWN_MS = 25e3;
const LOOK_MS = 1000;
const SNIPPET_MS = 3000;

let feed: Feed | undefined;
/** When what we have was asked for: what it says is not newer. */
let askedAt = 0;
let asking: Promise<void> | undefined;
/** Of what we have; a clock that was set back makes it old. */
const age = () => Math.abs(Date.now() - askedAt);

/** Brings the feed as it is now; there is none when nobody answers. */
async function bring(): Promise<void> {
  const at = Date.now();
  try {
    const answer = await fetch(
      new URL('/v1/feed?' + new URLSearchParams({ site: site || '', lang }), tag.src),
      {
        cache: 'no-cache',
        credentials: 'omit',
      },
    );
    const said: Feed | undefined = answer.ok ? await answer.json() : undefined;
    feed = Array.isArray(said?.items) ? said : undefined;
  } catch {
    feed = undefined;
  }
  askedAt = at;
}
/** Several cards at once ask once. */
const ask = () =>
  (asking ||= bring().finally(() => {
    asking = undefined;
  }));

/** The same as in the server's arm.ts: FNV-1a, finished as Murmur3 does. */
function partOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % 1e4;
}

interface Choice {
  /** null: the arm that is shown nothing. */
  variant: Variant | null;
  key: string;
  testId: string | undefined;
}

/** What a visitor is shown of a notification; who takes part in no test, its first wording. */
function choose(item: Item): Choice {
  const id = fullId();
  const test = id && feed?.tests?.find((one) => one.notificationId == item.id);
  const first = item.variants[0]!;
  if (!test) return { variant: first, key: first.key, testId: undefined };
  const part = partOf(test.testId + ':' + id);
  // the same bounds as splitOf in arm.ts has
  let sum = 0;
  const key = test.split.find(({ share }) => part < Math.round((sum += share) * 1e4))?.key || '';
  return { variant: item.variants.find((one) => one.key == key) || null, key, testId: test.testId };
}

const says = (text: string) => (item: Item) => item.variants.some((one) => one.text == text);

const placeOf = (item: Item) =>
  item.where.channels.includes('inline')
    ? document.querySelector(`[data-mk-place="${CSS.escape(item.id)}"]:empty`) ||
      document.querySelector('[data-mk-place=""]:empty')
    : null;
const fixedChannel = (item: Item) => item.where.channels.find((one) => /toast|bar/.test(one));

/** Ends what waits and what is shown. */
const endPage: (() => void)[] = [];
/** The fixed card that is on the screen. */
let onScreen: (() => void) | undefined;
let waiting: (() => unknown)[] = [];
const next = () => {
  if (!onScreen) waiting.shift()?.();
};

/** Its moment has come: for whom it is, and in whichever arm, this is the exposure. */
const fire = safe(async (item: Item, path: string) => {
  const place = placeOf(item);
  const channel = place ? 'inline' : fixedChannel(item);
  if (!channel || path != location.pathname) return;
  if (!place && onScreen) {
    waiting.push(() => fire(item, path));
    return;
  }
  const wait = waitFor(item.id, item.cap);
  if (wait > 0) {
    if (wait < Infinity) later(wait, () => fire(item, path));
    return;
  }
  let now: Item | undefined = item;
  if (item.named) {
    if (age() >= NAMED_MS) await ask();
    // another card may have asked since this one was put on the list
    const items = feed?.items.filter((one) => one.id == item.id);
    now = items?.find(says(item.variants[0]!.text)) || items?.[0];
    // meanwhile another one may have come, or the page may have gone
    if (!now || (!place && onScreen) || path != location.pathname || waitFor(item.id, item.cap) > 0) return;
  }
  show(now, choose(now), channel, place);
});

/** By whatever the page calls mkt: a card closes all the same. */
const tell = safe((id: string, { variant, key, testId }: Choice, what: string) =>
  mkt().event?.('proof_' + what, {
    props: { notificationId: id, variantId: key, receiptId: variant?.receipt || undefined, testId },
  }),
);

function show(item: Item, choice: Choice, channel: string, place: Element | null): void {
  const { variant } = choice;
  const say = (what: string) => tell(item.id, choice, what);
  if (!entered[item.id]) say('exposed');
  noteShown(item.id);
  if (!variant) return;
  let watchNamed: unknown;
  let check: () => unknown;
  const { end, hide } = put(
    channel,
    place,
    { ...variant, lang: item.lang, source: item.source, review: item.review },
    feed,
    {
      shown: () => say('shown'),
      hovered: () => say('hovered'),
      clicked: () => say('clicked'),
      dismissed() {
        say('dismissed');
        noteDismissed(item.cap.afterDismissDays);
        waiting = [];
      },
      gone() {
        clearInterval(watchNamed as number);
        document.removeEventListener('visibilitychange', check);
        if (!place) onScreen = undefined;
        next();
      },
    },
  );
  if (!place) onScreen = end;
  endPage.push(end);
  if (item.named) {
    check = safe(() => {
      hide(age() >= UNKNOWN_MS);
      if (document.hidden) return;
      if (age() >= NAMED_MS) void ask().then(check);
      else if (!feed?.items.some((one) => one.id == item.id && says(variant.text)(one))) end();
    });
    watchNamed = setInterval(check, LOOK_MS);
    document.addEventListener('visibilitychange', check);
  }
}

function later(ms: number, work: () => unknown): void {
  const timer = setTimeout(safe(work), ms);
  endPage.push(() => clearTimeout(timer));
}

/** Who was told to have entered a test of wordings with moments of their own, on this page: by notification. */
let entered: Record<string, 1> = {};

/**
 * Of a test each arm waits for the same moment, unless a wording has its own. Who is still there at a later moment differs
 * from who was at an earlier one, so then whoever is there at the first moment of any arm is exposed, in whichever arm.
 */
function arm(item: Item): void {
  const path = location.pathname;
  const choice = choose(item);
  const { id, when, variants } = item;
  if (choice.testId && variants.some((one) => one.when))
    for (const one of [{ when }, ...variants])
      atMoment(one.when || when, () => {
        if (
          entered[id] ||
          path != location.pathname ||
          !(placeOf(item) || fixedChannel(item)) ||
          waitFor(id, item.cap) == Infinity
        )
          return;
        entered[id] = 1;
        tell(id, choice, 'exposed');
      });
  atMoment(choice.variant?.when || when, () => fire(item, path));
}

/** Works when everything a trigger asks for is so, together; leaving counts only when the rest is so already. */
function atMoment({ afterMs = 0, scrollPercent, exitIntent }: When, work: () => unknown): void {
  let timed = false;
  let scrolled = !scrollPercent;
  let done = false;
  const check = (leaving?: boolean) => {
    if (done || !timed || !scrolled || (exitIntent && !leaving)) return;
    done = true;
    work();
  };
  const onScroll = safe(() => {
    const { scrollHeight } = document.documentElement;
    if ((scrollY + innerHeight) / scrollHeight >= scrollPercent! / 100) {
      scrolled = true;
      check();
    }
  });
  const onLeave = safe((event: MouseEvent) => {
    event.clientY <= 0 && !event.relatedTarget && check(true);
  });
  if (scrollPercent) {
    addEventListener('scroll', onScroll, { passive: true });
    onScroll();
  }
  if (exitIntent) document.addEventListener('mouseout', onLeave);
  endPage.push(() => {
    removeEventListener('scroll', onScroll);
    document.removeEventListener('mouseout', onLeave);
  });
  later(afterMs, () => {
    timed = true;
    check();
  });
}

/** A page begins, or the next one of a single-page site. */
function begin(): void {
  for (const end of endPage.splice(0)) end();
  waiting = [];
  entered = {};
  newPage();
  visit();
  for (const item of feed?.items || []) if (isFor(item.where)) arm(item);
}

const start = safe(async () => {
  // without these a card is none, in whichever arm: such a browser has no part in it. Cut off, looks and root throw
  sheetOf('');
  document.createElement('p').attachShadow({ mode: 'open' });
  new IntersectionObserver(() => 0);
  // whoever has two tags of it has one
  if ((mkt() as unknown as Record<string, unknown>)['p' + site]) return;
  (mkt() as unknown as Record<string, unknown>)['p' + site] = 1;
  for (
    const until = performance.now() + SNIPPET_MS;
    typeof mkt().id != 'function' && performance.now() < until;
  )
    await new Promise((done) => setTimeout(done, 50));
  let path = location.pathname;
  await ask();
  safe(begin)();
  const moved = safe(() => {
    if (path == location.pathname) return;
    path = location.pathname;
    begin();
  });
  addEventListener('popstate', moved);
  self.navigation?.addEventListener('currententrychange', moved);
});

// when the page has nothing to do; a page that always has does not wait for ever
const idle = () => (self.requestIdleCallback || setTimeout)(start, { timeout: 2e3 } as never);
document.readyState == 'complete' ? idle() : addEventListener('load', idle);
