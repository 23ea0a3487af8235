// How long and how far a page was read, and how fast it was: sent when the page is left or hides.
import { hooks, on, send } from './core.ts';

// Whoever gives no sign for half a minute has turned away.
const IDLE_MS = 3e4;
// The contract's bound: a value beyond it would cost the whole event.
const MS_MAX = 12e4;

const entered = location.pathname;
const unseen = document.hidden && !document.prerendering;
let shown = !document.hidden;
let engaged = 0;
let depth = 0;
let last = Date.now();
let until = last;

// Time counts up to each sign of life, at most IDLE_MS for one, and only while the page was to be seen.
const tick = () => {
  const gone = Math.max(0, Math.min(Date.now() - last, IDLE_MS));
  if (shown) {
    engaged += gone;
    until = last + gone;
    depth = Math.max(
      depth,
      Math.min(100, Math.round(((scrollY + innerHeight) / document.documentElement.scrollHeight) * 100)),
    );
  }
  last = Date.now();
  shown = !document.hidden;
};
for (const type of ['scroll', 'keydown', 'pointerdown', 'pointermove']) on(type, tick);

const [navigation] = performance.getEntriesByType('navigation') as (PerformanceNavigationTiming & {
  activationStart?: number;
  responseStatus?: number;
})[];
const webVitals: Record<string, number> = {};
// A prerendered page was being made before anyone looked; what counts is the time from then on.
const put = (name: string, at: number, start = navigation?.activationStart || 0) => {
  webVitals[name] = Math.min(MS_MAX, Math.max(0, Math.round(at - start)));
};

const collect: (() => unknown)[] = [];
const observe = (type: string, each: (entry: any) => void) => {
  if (PerformanceObserver.supportedEntryTypes.includes(type)) {
    const observer = new PerformanceObserver((list) => list.getEntries().map(each));
    observer.observe({ type, buffered: true, durationThreshold: 16 } as PerformanceObserverInit);
    collect.push(() => observer.takeRecords().map(each));
  }
};

if (!unseen) {
  // The browser itself stops reporting larger paints at the first interaction.
  observe('largest-contentful-paint', (entry) => put('lcpMs', entry.startTime));
  observe('paint', (entry) => /content/.test(entry.name) && put('fcpMs', entry.startTime));
}

// The worst window of layout shifts: gaps under one second, five seconds at most.
let from = 0;
let previous = -1e4;
let sum = 0;
observe('layout-shift', ({ startTime, value, hadRecentInput }) => {
  if (!hadRecentInput) {
    if (startTime - previous > 1e3 || startTime - from > 5e3) {
      sum = 0;
      from = startTime;
    }
    previous = startTime;
    sum += value;
    webVitals.clsScore = Math.min(10, Math.max(webVitals.clsScore || 0, sum));
  }
});

// Interaction to next paint: the slowest interaction, leaving out one for every fifty.
const slowest: Record<string, number> = {};
observe('event', ({ interactionId, duration }) => {
  if (interactionId) {
    slowest[interactionId] = Math.max(slowest[interactionId] || 0, duration);
    const all = Object.values(slowest).sort((a, b) => b - a);
    put('inpMs', all[Math.floor(all.length / 50)]!, 0);
  }
});

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
    for (const take of collect) take();
    put('ttfbMs', navigation!.responseStart);
    told = send('web_vitals', { path: entered, timestamp: until, traffic: { webVitals } });
  }
};

const notFound = () => navigation?.responseStatus == 404 && send('not_found');
document.prerendering ? on('prerenderingchange', notFound) : notFound();
