// The evidence of an A/B test over time, each variant a line, on a scale of powers of ten: where it passes the bound it is decided.
// Read by keyboard and screen reader through a slider along its foot.
import { useState } from 'preact/hooks';
import { dayIn } from '../../../../ground/lib/days.ts';
import type { Results } from '../../../ab-tests/schema.ts';
import { format, site } from '../lib/state.ts';
import type { TestsWords } from '../words/en/tests.ts';
import { useWidth } from './chart.tsx';

const HEIGHT = 260;
const PAD = { top: 16, right: 76, bottom: 26, left: 56 };
/** What is drawn is cut to these; what is told is not. */
const [LEAST, MOST] = [0.01, 1e6];
const HISTORY_MAX = 100;

interface Look {
  at: number;
  isNow: boolean;
  /** By variant. */
  evidence: Record<string, number>;
}

/** The looks that were kept, oldest first, and the counts as they are now while it runs. */
function looksOf({ history, test, comparisons }: Results): Look[] {
  // what is more than a number can hold comes as null
  const by = (all: Results['comparisons']) =>
    Object.fromEntries(all.map((one) => [one.variant, one.evidence ?? Number.MAX_VALUE]));
  const looks = history.map((one) => ({
    at: Date.parse(one.at),
    isNow: false,
    evidence: by(one.comparisons),
  }));
  const isOpen = test.status === 'running' && test.decidedAt === null;
  return isOpen ? [...looks, { at: Date.now(), isNow: true, evidence: by(comparisons) }] : looks;
}

/** Powers of ten around what is drawn, at most eight of them. */
function powersOf(values: readonly number[], bound: number): number[] {
  const low = Math.floor(Math.log10(Math.max(LEAST, Math.min(0.1, ...values))));
  const high = Math.ceil(Math.log10(Math.min(MOST, Math.max(bound * 2, ...values))));
  return Array.from({ length: high - low + 1 }, (_, n) => 10 ** (low + n));
}

export const saysEvidence = (value: number | null): string => {
  const { count, decimal } = format.value;
  if (value === null || value > MOST) return `> ${count(MOST)}`;
  return value < 0.01 ? `< ${decimal(0.01)}` : value < 10 ? decimal(value) : count(Math.round(value));
};

export function Evidence({ results, w }: { results: Results; w: TestsWords }) {
  const looks = looksOf(results);
  const bound = results.test.variants.length * 20;
  return (
    <section class="course">
      <h2>{w.course}</h2>
      <p class="soft">
        {w.courseSays(format.value.count(bound))}{' '}
        {looks.length === 0
          ? w.courseEmpty
          : looks.length < 8
            ? w.courseShort
            : results.history.length >= HISTORY_MAX && w.courseLast}
      </p>
      {looks.length > 0 && <Drawn looks={looks} results={results} bound={bound} w={w} />}
    </section>
  );
}

const NAME_HEIGHT = 15;
/** Places of names beside the ends of their lines, so that none stands on another. */
function apart(places: readonly number[]): number[] {
  const moved = [...places];
  let above = Number.NEGATIVE_INFINITY;
  for (const n of places.map((_, at) => at).sort((a, b) => places[a]! - places[b]!)) {
    moved[n] = Math.max(places[n]!, above + NAME_HEIGHT);
    above = moved[n]!;
  }
  return moved;
}

interface DrawnProps {
  looks: readonly Look[];
  results: Results;
  bound: number;
  w: TestsWords;
}

function Drawn({ looks, results, bound, w }: DrawnProps) {
  const { box, width } = useWidth();
  const [at, setAt] = useState<number | null>(null);
  const { variants, startedAt } = results.test;
  const zone = site.value!.timeZone;
  const ticks = powersOf(
    looks.flatMap(({ evidence }) => Object.values(evidence)),
    bound,
  );
  const right = width < 420 ? 56 : PAD.right;
  const inner = { width: width - PAD.left - right, height: HEIGHT - PAD.top - PAD.bottom };
  // from its beginning, unless that is longer ago than what was kept of it
  const from = looks.length >= HISTORY_MAX ? looks[0]!.at : Math.min(Date.parse(startedAt!), looks[0]!.at);
  const long = Math.max(1, looks.at(-1)!.at - from);
  const x = (ms: number) => PAD.left + ((ms - from) / long) * inner.width;
  const [low, high] = [Math.log10(ticks[0]!), Math.log10(ticks.at(-1)!)];
  const y = (value: number) => {
    const log = Math.min(high, Math.max(low, Math.log10(Math.max(LEAST / 10, value))));
    return PAD.top + inner.height * (1 - (log - low) / (high - low));
  };
  const day = (ms: number) => format.value.day(dayIn(zone, ms));
  const told = (n: number): string => {
    const { at: when, isNow, evidence } = looks[n]!;
    const says = variants.map(({ key }) => `${key} ${saysEvidence(evidence[key] ?? null)}`).join(', ');
    return w.at(isNow ? w.now : format.value.moment(new Date(when).toISOString(), zone), says);
  };
  const near = (event: PointerEvent) => {
    const left = event.clientX - box.current!.getBoundingClientRect().left;
    const distances = looks.map((one) => Math.abs(x(one.at) - left));
    setAt(distances.indexOf(Math.min(...distances)));
  };
  const names = Math.max(1, Math.floor(inner.width / 110));
  const days = [
    ...new Map(
      Array.from({ length: names + 1 }, (_, n) => from + (long * n) / names).map((ms) => [day(ms), ms]),
    ),
  ];
  const last = looks.at(-1)!;
  const letters = right === PAD.right ? 8 : 5;
  const nameAt = apart(variants.map(({ key }) => y(last.evidence[key] ?? 1)));
  return (
    <div class="chart evidence" ref={box} onPointerMove={near} onPointerLeave={() => setAt(null)}>
      <svg width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={w.course}>
        {ticks.map((tick) => (
          <g key={tick}>
            <line class="grid" x1={PAD.left} x2={width - right} y1={y(tick)} y2={y(tick)} />
            <text class="tick" x={PAD.left - 8} y={y(tick) + 4} text-anchor="end">
              {format.value.decimal(tick).length > 6 ? format.value.count(tick) : format.value.decimal(tick)}
            </text>
          </g>
        ))}
        {days.map(([says, ms], n) => (
          <text
            key={says}
            class="tick"
            x={x(ms)}
            y={HEIGHT - 6}
            text-anchor={n === 0 ? 'start' : ms === last.at ? 'end' : 'middle'}
          >
            {says}
          </text>
        ))}
        <line class="bound" x1={PAD.left} x2={width - right} y1={y(bound)} y2={y(bound)} />
        <text class="tick bound-name" x={PAD.left + 6} y={y(bound) - 6}>
          {w.decidedFrom}
        </text>
        {variants.map(({ key }, series) => (
          <g key={key} class={`series s${series + 1}`}>
            <path
              class="line"
              d={looks
                .map(
                  (one, n) =>
                    `${n ? 'L' : 'M'}${x(one.at).toFixed(1)} ${y(one.evidence[key] ?? 1).toFixed(1)}`,
                )
                .join('')}
            />
            {looks.length < 15 &&
              looks.map((one) => (
                <circle key={one.at} class="dot" cx={x(one.at)} cy={y(one.evidence[key] ?? 1)} r="3" />
              ))}
            <text class="name" x={x(last.at) + 8} y={nameAt[series]! + 4}>
              {key.length > letters ? `${key.slice(0, letters - 1)}…` : key}
            </text>
          </g>
        ))}
        {at !== null && (
          <line
            class="cursor"
            x1={x(looks[at]!.at)}
            x2={x(looks[at]!.at)}
            y1={PAD.top}
            y2={HEIGHT - PAD.bottom}
          />
        )}
      </svg>
      <output class="readout" aria-hidden="true">
        {at === null ? ' ' : told(at)}
      </output>
      <input
        type="range"
        class="along"
        min={0}
        max={looks.length - 1}
        value={at ?? looks.length - 1}
        aria-label={w.course}
        aria-valuetext={told(at ?? looks.length - 1)}
        onInput={(event) => setAt(Number(event.currentTarget.value))}
        onFocus={() => setAt((was) => was ?? looks.length - 1)}
        onBlur={() => setAt(null)}
      />
    </div>
  );
}
