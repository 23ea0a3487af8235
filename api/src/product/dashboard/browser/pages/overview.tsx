// Who came, from where, who left an address, what it cost: six numbers, one course, six tables, and how far to trust them.
import { useState } from 'preact/hooks';
import type { MetricsPage } from '../../../metrics/reports/page.ts';
import { lazy } from '../lib/lazy.tsx';
import { daysOf, INTERVALS, METRICS, type Metric } from '../lib/place.ts';
import { format, look, place, site, to, words } from '../lib/state.ts';
import { todayIn } from '../lib/today.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { Chart, type ChartMark } from '../parts/chart.tsx';
import { Imported } from '../parts/imported.tsx';
import { Mark } from '../parts/mark.tsx';
import type { NotesProps, Wanted } from '../parts/notes.tsx';
import { Panel, type PanelName } from '../parts/panel.tsx';
import { Problem } from '../parts/problem.tsx';
import { RangeBar } from '../parts/range-bar.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { Tile } from '../parts/tile.tsx';
import { Vitals } from '../parts/vitals.tsx';

const Notes = lazy<NotesProps>(() => import('../parts/notes.tsx').then((m) => m.Notes), true);
const PANELS: readonly (readonly PanelName[])[] = [
  ['sources', 'campaigns', 'referrers'],
  ['pages', 'entrances', 'exits'],
  ['countries'],
  ['devices', 'browsers', 'os'],
  ['events', 'forms'],
];
type Step = MetricsPage['series'][number];

const numberAt = (step: Step, metric: Metric): number | null => step[metric];
const isWhole = (metric: Metric) => metric !== 'bounceRate' && metric !== 'avgEngagedSeconds';
export function sayMetric(metric: Metric, value: number): string {
  if (metric === 'bounceRate') return format.value.share(value);
  if (metric === 'avgEngagedSeconds') return format.value.duration(value);
  return format.value.count(value);
}

/** Of leads there is no headline: their change by the same rules, over the same days. */
function leadsDelta({ summary, series, seriesBefore }: MetricsPage): number | null {
  const now = series.reduce((sum, step) => sum + (step.newLeads ?? 0), 0);
  const before = seriesBefore.reduce((sum, step) => sum + (step.newLeads ?? 0), 0);
  // where no headline could be compared, this can't either
  const isComparable = Object.values(summary.metrics).some(
    (one) =>
      typeof one === 'object' && one !== null && typeof (one as { delta?: unknown }).delta === 'number',
  );
  return isComparable && before >= 10 ? (now - before) / before : null;
}

function costOf({ summary }: MetricsPage): string {
  const costs = Object.entries(summary.totals.costPerLeadByCurrency);
  if (costs.length === 0) return '–';
  return costs
    .map(([currency, cost]) => (cost === null ? '–' : format.value.money(cost, currency)))
    .join(' · ');
}

function Tiles({ page }: { page: MetricsPage }) {
  const w = words.value!;
  const { metrics, totals } = page.summary;
  const chosen = place.value.look.metric;
  const f = format.value;
  const tile = (metric: Metric, value: number | null, delta: number | null) => (
    <Tile
      name={w.metrics[metric]}
      why={w.why[metric]}
      value={value === null ? '–' : sayMetric(metric, value)}
      delta={delta}
      spark={page.series.map((step) => numberAt(step, metric) ?? 0)}
      chosen={chosen === metric}
      choose={() => look({ metric })}
    />
  );
  const rate = (name: 'leadCaptureRate' | 'formCompletionRate', part: number, of: number) => (
    <Tile
      name={w.rates[name]}
      why={w.why[name]}
      value={metrics[name].value === null ? '–' : f.share(metrics[name].value)}
      delta={metrics[name].delta}
      of={{ part, of }}
    />
  );
  return (
    <div class="tiles">
      {tile('uniqueVisitors', metrics.uniqueVisitors.value, metrics.uniqueVisitors.delta)}
      {tile('sessions', metrics.sessions.value, metrics.sessions.delta)}
      {tile('newLeads', totals.leads ?? 0, leadsDelta(page))}
      {rate('leadCaptureRate', totals.leads ?? 0, metrics.uniqueVisitors.value ?? 0)}
      {rate('formCompletionRate', totals.formsSubmitted, totals.formsStarted)}
      <Tile
        name={w.costPerLead}
        why={w.why.costPerLead}
        value={costOf(page)}
        delta={metrics.costPerLead.delta}
      />
    </div>
  );
}

/** Of each noted day the point it lies in; a day that has none yet has no mark. */
function marksOf({ series, annotations }: MetricsPage): ChartMark[] {
  return annotations.flatMap(({ day, kind, text }) => {
    const n = series.findIndex(({ from, to }) => from <= day && day <= to);
    return n < 0 ? [] : [{ n, says: `${format.value.day(day)}, ${words.value!.noteKinds[kind]}: ${text}` }];
  });
}

interface CourseProps {
  page: MetricsPage;
  /** Asks for the page anew; null: whoever looks neither sees notes nor writes any. */
  changed: (() => void) | null;
}

function Course({ page, changed }: CourseProps) {
  const w = words.value!;
  const [wanted, want] = useState<Wanted | null>(null);
  const { metric, interval } = place.value.look;
  const points = (steps: readonly Step[]) =>
    steps.map((step) => ({
      from: step.from,
      to: step.to,
      partial: step.partial,
      value: numberAt(step, metric),
    }));
  const { compareTo } = page.summary;
  return (
    <section class="course" aria-label={w.course}>
      <div class="head">
        <label>
          <span class="unseen">{w.shown}</span>
          <select value={metric} onChange={(event) => look({ metric: event.currentTarget.value as Metric })}>
            {METRICS.map((name) => (
              <option key={name} value={name}>
                {w.metrics[name]}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span class="unseen">{w.interval}</span>
          <select
            value={interval}
            onChange={(event) => look({ interval: event.currentTarget.value as typeof interval })}
          >
            {INTERVALS.map((name) => (
              <option key={name} value={name}>
                {w.intervals[name]}
              </option>
            ))}
          </select>
        </label>
        <span class="room" />
        {compareTo && (
          <span class="soft">
            <span class="sample" aria-hidden="true" /> {format.value.day(compareTo.from)} –{' '}
            {format.value.day(compareTo.to)}
          </span>
        )}
      </div>
      <Chart
        name={w.metrics[metric]}
        points={points(page.series)}
        before={points(page.seriesBefore)}
        marks={marksOf(page)}
        onMark={(n) => want({ show: page.series[n]! })}
        onPoint={(n) => want({ write: page.series[n]!.from })}
        isWhole={isWhole(metric)}
        say={(value) => sayMetric(metric, value)}
        sayDay={format.value.day}
      />
      {changed && page.series.length > 0 && (
        <Notes notes={page.annotations} lastDay={page.series.at(-1)!.to} wanted={wanted} changed={changed} />
      )}
    </section>
  );
}

function Live() {
  const w = words.value!;
  const { data } = useAnswer<{ activeVisitors: number }>(
    `/v1/metrics/realtime?${new URLSearchParams({ propertyId: site.value!.key })}`,
    15_000,
  );
  if (!data) return null;
  return <p class="live">{w.live(data.activeVisitors, format.value.count(data.activeVisitors))}</p>;
}

interface OverviewProps {
  /** Seen by who has the link: without what needs an account. */
  isShared?: boolean;
  isLive?: boolean;
}

export function Overview({ isShared = false, isLive = true }: OverviewProps) {
  const w = words.value!;
  const own = site.value!;
  const { range, vs, match, interval } = place.value.look;
  const days = daysOf(range, todayIn(own.timeZone));
  const query = new URLSearchParams({ propertyId: own.key, ...days, vs, match, interval });
  const { data, problem, isOld, again } = useAnswer<MetricsPage>(`/v1/metrics/page?${query}`);
  const isEmpty =
    data !== null &&
    !isOld &&
    data.summary.totals.entrances === 0 &&
    data.summary.freshness.generatedAt === null;
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{isShared ? own.name : w.pages.overview}</h1>
        {data && <Mark trust={data.trust} />}
        <span class="room" />
        {isLive && <Live />}
      </div>
      <RangeBar days={days} zone={own.timeZone} />
      {problem && <Problem problem={problem} again={again} />}
      {isEmpty && !isShared && (
        <p class="notice">
          {w.nothingYet} <a href={to({ page: 'settings' })}>{w.toSnippet}</a>
        </p>
      )}
      {data ? (
        <div class={isOld ? 'old' : undefined} aria-busy={isOld}>
          <Tiles page={data} />
          <Course page={data} changed={isShared ? null : again} />
          <Imported imported={data.imported} />
          <div class="panels">
            {PANELS.map((tabs) => (
              <Panel key={tabs[0]} tabs={tabs} data={data.breakdowns} window={isShared ? null : days} />
            ))}
            <Vitals rows={data.vitals} />
          </div>
          <p class="soft">
            {data.summary.freshness.generatedAt &&
              w.countedAt(format.value.moment(data.summary.freshness.generatedAt, own.timeZone))}
          </p>
        </div>
      ) : (
        !problem && <Skeleton />
      )}
    </>
  );
}
