// How long and how far a page was read, and how fast it was: sent when the page is left or hides.
import { here, on, path, send } from './core.ts';

const entered = here();
const [navigation] = performance.getEntriesByType('navigation') as (PerformanceNavigationTiming & {
  activationStart?: number;
  responseStatus?: number;
})[];

let shown: boolean;
let engaged = 0;
let depth = 0;
let last: number;
/** When attention ended. */
let until: number;
/** The id of the web vitals, once they were sent. */
let told: unknown;

// Time counts up to each sign of life, and only while the page was to be seen: whoever gives none for half a minute
// has turned away.
const tick = () => {
  if (shown) {
    until = Math.min(Date.now(), last + 3e4);
    engaged += until - last;
    depth = Math.max(
      depth,
      Math.min(100, ((scrollY + innerHeight) / document.documentElement.scrollHeight) * 100),
    );
  }
  last = Date.now();
  shown = !document.hidden;
};

// A page opened in the background is painted late for no fault of its own.
const unseen = !document.prerendering && document.hidden;
const webVitals: Record<string, number> = {};
let windowStart: number;
let lastShift: number;
let shifted: number;

/** The slowest of a kind, within what the contract calls a measurement. */
const worst = (name: string, value: number) =>
  (webVitals[name] = Math.max(webVitals[name] || 0, Math.min(12e4, value)));
/** A paint, the largest contentful paint, a layout shift or a slow event: each has some of these. */
type Entry = PerformanceEntry & {
  value?: number;
  interactionId?: number;
  hadRecentInput?: boolean;
  size?: number;
};
const see = (entry: Entry) => {
  const startTime = entry.startTime;
  const value = entry.value;
  const duration = entry.duration;
  if (entry.interactionId) worst('inpMs', duration);
  else if (value) {
    // The worst window of layout shifts: gaps under one second, five seconds at most.
    if (!entry.hadRecentInput) {
      shifted =
        startTime < lastShift + 1e3 && startTime < windowStart + 5e3
          ? shifted + value
          : ((windowStart = startTime), value);
      lastShift = startTime;
      worst('clsScore', Math.min(10, shifted));
    }
  }
  // Only the largest contentful paint has a size; the browser stops looking for larger ones at the first
  // interaction. Of the two other paints, the first contentful one comes last.
  else
    unseen || duration || worst(entry.size ? 'lcpMs' : 'fcpMs', startTime - ~~navigation!.activationStart!);
};
const observer = new PerformanceObserver((list) => list.getEntries().map(see));
tick();
on('keydown scroll pointermove', tick);
PerformanceObserver.supportedEntryTypes.map((type) => {
  // event, paint, largest-contentful-paint, layout-shift
  if (/shift/.test(type)) worst('clsScore', 0);
  if (/^event|paint|shift/.test(type))
    observer.observe({ type, buffered: 1, durationThreshold: 16 } as unknown as PerformanceObserverInit);
});

send.leave = (hidden) => {
  tick();
  if (engaged > 999) {
    // The end of attention rather than the moment of leaving: a tab left open must not begin a new session.
    send('engagement', {
      path,
      timestamp: until,
      traffic: { engagedTimeMs: engaged, scrollDepthPercent: depth },
    });
    engaged = 0;
  }
  hidden ?? (depth = 0);
  if (hidden && !told) {
    observer.takeRecords().map(see);
    worst('ttfbMs', navigation!.responseStart - ~~navigation!.activationStart!);
    told = send('web_vitals', { path: entered, timestamp: until, traffic: { webVitals } });
    navigation!.responseStatus == 404 && send('not_found', { path: entered });
  }
};
