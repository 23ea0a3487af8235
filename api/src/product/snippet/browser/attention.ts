// How long and how far a page was read, and how fast it was: sent when the page is left or hides.
import { here, hooks, on, send } from './core.ts';

// Whoever gives no sign for half a minute has turned away.
const IDLE_MS = 3e4;

const entered = here();
const [navigation] = performance.getEntriesByType('navigation') as (PerformanceNavigationTiming & {
  activationStart?: number;
  responseStatus?: number;
})[];

let shown = !document.hidden;
let engaged = 0;
let depth = 0;
let last = Date.now();
let until = last;

// Time counts up to each sign of life, at most IDLE_MS for one, and only while the page was to be seen.
const tick = () => {
  const gone = Math.min(IDLE_MS, Date.now() - last);
  if (shown) {
    engaged += gone;
    until = last + gone;
    depth = Math.max(
      depth,
      Math.min(100, ((scrollY + innerHeight) / document.documentElement.scrollHeight) * 100) | 0,
    );
  }
  last = Date.now();
  shown = !document.hidden;
};
['scroll', 'keydown', 'pointermove'].map((type) => on(type, tick));

// A page opened in the background is painted late for no fault of its own.
const unseen = document.hidden && !document.prerendering;
const webVitals: Record<string, number> = {};
let windowStart = 0;
let lastShift = 0;
let shifted = 0;

// A prerendered page was being made before anyone looked; what counts is the time from then on.
const put = (name: string, at: number) => {
  webVitals[name] = Math.max(0, at - (navigation!.activationStart || 0)) | 0;
};
/** A paint, the largest contentful paint, a layout shift or a slow event: each has some of these. */
type Entry = PerformanceEntry & {
  value?: number;
  interactionId?: number;
  hadRecentInput?: boolean;
  size?: number;
};
const see = (entry: Entry) => {
  const { startTime, value, interactionId, duration } = entry;
  if (interactionId) webVitals.inpMs = Math.max(webVitals.inpMs || 0, duration);
  else if (value) {
    // The worst window of layout shifts: gaps under one second, five seconds at most.
    if (!entry.hadRecentInput) {
      if (startTime > lastShift + 1e3 || startTime > windowStart + 5e3) {
        shifted = 0;
        windowStart = startTime;
      }
      lastShift = startTime;
      shifted += value;
      webVitals.clsScore = Math.max(webVitals.clsScore!, shifted);
    }
  } else if (!unseen && !duration) {
    // Only the largest contentful paint has a size; the browser stops looking for larger ones at the first
    // interaction. Of the two other paints, the first contentful one comes last.
    put(entry.size ? 'lcpMs' : 'fcpMs', startTime);
  }
};
const observer = new PerformanceObserver((list) => list.getEntries().map(see));
for (const type of PerformanceObserver.supportedEntryTypes) {
  // paint, largest-contentful-paint, layout-shift, event
  if (/shift/.test(type)) webVitals.clsScore = 0;
  if (/paint|shift|^event/.test(type))
    observer.observe({ type, buffered: true, durationThreshold: 16 } as PerformanceObserverInit);
}

let told: unknown;
hooks.leave = (hidden) => {
  tick();
  if (engaged > 999) {
    // The end of attention rather than the moment of leaving: a tab left open must not begin a new session.
    send('engagement', { timestamp: until, traffic: { engagedTimeMs: engaged, scrollDepthPercent: depth } });
    engaged = 0;
  }
  if (hidden == undefined) depth = 0;
  if (hidden && !told) {
    observer.takeRecords().map(see);
    put('ttfbMs', navigation!.responseStart);
    told = send('web_vitals', { path: entered, timestamp: until, traffic: { webVitals } });
    navigation!.responseStatus == 404 && send('not_found', { path: entered });
  }
};
