// A line over time: the window before it dashed, the day in progress dotted, days without service shaded. Drawn as SVG, read
// by keyboard and screen reader through a slider along its foot.
import { useEffect, useRef, useState } from 'preact/hooks';
import { words } from '../lib/state.ts';
import { namedPlaces, ticksOf } from '../lib/ticks.ts';

export interface Point {
  from: string;
  to: string;
  value: number | null;
  partial: boolean;
}
/** Something that was noted about a point. */
export interface ChartMark {
  n: number;
  says: string;
}
interface ChartProps {
  name: string;
  points: readonly Point[];
  before: readonly Point[];
  marks: readonly ChartMark[];
  /** A mark was chosen: the first of its points, or of the one that stands there. */
  onMark(n: number): void;
  /** Enter on a point of the slider. */
  onPoint(n: number): void;
  /** Counts; else shares or seconds, whose steps may be fractions. */
  isWhole: boolean;
  say(value: number): string;
  sayDay(day: string): string;
}

const HEIGHT = 240;
const PAD = { top: 12, right: 8, bottom: 26, left: 48 };
/** Room for the marks, each as wide as a finger may be expected to hit. */
const MARK = 26;

/** Pieces of a line: a gap where nothing is known. */
function lines(points: readonly Point[], x: (n: number) => number, y: (value: number) => number): string {
  let pen = 'M';
  return points
    .map(({ value }, n) => {
      if (value === null) {
        pen = 'M';
        return '';
      }
      const step = `${pen}${x(n).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = 'L';
      return step;
    })
    .join('');
}

/** How wide the box is that a drawing stands in, in px. */
export function useWidth() {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(720);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.max(260, entry!.contentRect.width)));
    watch.observe(box.current!);
    return () => watch.disconnect();
  }, []);
  return { box, width };
}

const spanOf = ({ from, to }: Point, sayDay: (day: string) => string): string =>
  from === to ? sayDay(from) : `${sayDay(from)} – ${sayDay(to)}`;

/** Marks that would lie on each other are one. */
function together(marks: readonly ChartMark[], x: (n: number) => number): ChartMark[] {
  const found: ChartMark[] = [];
  for (const mark of marks) {
    const last = found.at(-1);
    if (last && x(mark.n) - x(last.n) < MARK) last.says += `\n${mark.says}`;
    else found.push({ ...mark });
  }
  return found;
}

export function Chart(props: ChartProps) {
  const { name, points, before, marks, isWhole, say, sayDay, onMark, onPoint } = props;
  const w = words.value!;
  const { box, width } = useWidth();
  const [at, setAt] = useState<number | null>(null);
  const most = Math.max(0, ...[...points, ...before].map(({ value }) => value ?? 0));
  const ticks = ticksOf(most, isWhole);
  const top = marks.length > 0 ? MARK : PAD.top;
  const inner = { width: width - PAD.left - PAD.right, height: HEIGHT - top - PAD.bottom };
  const count = Math.max(points.length, before.length);
  const x = (n: number) => PAD.left + (count < 2 ? inner.width / 2 : (n / (count - 1)) * inner.width);
  const y = (value: number) => top + inner.height * (1 - value / ticks.at(-1)!);
  const last = points.findIndex(({ partial }) => partial);
  const whole = last < 0 ? points : points.slice(0, last);
  const current = at === null ? undefined : points[at];
  const told = (n: number): string => {
    const point = points[n];
    if (!point) return '';
    const was = before[n]?.value ?? null;
    const parts = [spanOf(point, sayDay), point.value === null ? w.none : say(point.value)];
    if (was !== null) parts.push(w.beforeWas(say(was)));
    if (point.partial) parts.push(w.inProgress);
    parts.push(...marks.filter((mark) => mark.n === n).map(({ says }) => says));
    return parts.join(', ');
  };
  const point = (event: PointerEvent) => {
    const left = event.clientX - box.current!.getBoundingClientRect().left;
    setAt(
      Math.max(0, Math.min(points.length - 1, Math.round(((left - PAD.left) / inner.width) * (count - 1)))),
    );
  };
  const shown = together(marks, x);
  return (
    <div class="chart" ref={box} onPointerMove={point} onPointerLeave={() => setAt(null)}>
      <svg width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={name}>
        {ticks.map((tick) => (
          <g key={tick}>
            <line class="grid" x1={PAD.left} x2={width - PAD.right} y1={y(tick)} y2={y(tick)} />
            <text class="tick" x={PAD.left - 8} y={y(tick) + 4} text-anchor="end">
              {say(tick)}
            </text>
          </g>
        ))}
        {namedPlaces(points.length, Math.floor(inner.width / 90)).map((n) => (
          <text key={n} class="tick" x={x(n)} y={HEIGHT - 6} text-anchor={n === 0 ? 'start' : 'middle'}>
            {sayDay(points[n]!.from)}
          </text>
        ))}
        {shown.map(({ n }) => (
          <line key={n} class="noted" x1={x(n)} x2={x(n)} y1={top - 6} y2={HEIGHT - PAD.bottom} />
        ))}
        <path class="before" d={lines(before, x, y)} />
        <path class="line" d={lines(whole, x, y)} />
        {last > 0 && (
          <path
            class="line partial"
            d={lines([...points.map((one, n) => (n < last - 1 ? { ...one, value: null } : one))], x, y)}
          />
        )}
        {points.length === 1 && points[0]!.value !== null && (
          <circle class="dot" cx={x(0)} cy={y(points[0]!.value)} r="4" />
        )}
        {current && (
          <g>
            <line class="cursor" x1={x(at!)} x2={x(at!)} y1={top} y2={HEIGHT - PAD.bottom} />
            {current.value !== null && <circle class="dot" cx={x(at!)} cy={y(current.value)} r="4" />}
          </g>
        )}
      </svg>
      {shown.map(({ n, says }) => (
        <button
          key={n}
          type="button"
          class="noted"
          style={{ left: `${x(n)}px` }}
          title={says}
          aria-label={says}
          onClick={() => onMark(n)}
        />
      ))}
      <output class="readout" aria-hidden="true">
        {current ? told(at!) : ' '}
      </output>
      <input
        type="range"
        class="along"
        min={0}
        max={Math.max(0, points.length - 1)}
        value={at ?? Math.max(0, points.length - 1)}
        aria-label={w.along(name)}
        aria-valuetext={told(at ?? points.length - 1)}
        onInput={(event) => setAt(Number(event.currentTarget.value))}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onPoint(at ?? points.length - 1);
        }}
        onFocus={() => setAt((was) => was ?? points.length - 1)}
        onBlur={() => setAt(null)}
      />
    </div>
  );
}

/** The course of a number, small: no scale, only its shape. */
export function Spark({ values }: { values: readonly number[] }) {
  const most = Math.max(1e-9, ...values);
  const step = values.length < 2 ? 0 : 100 / (values.length - 1);
  const path = values.map(
    (value, n) => `${n ? 'L' : 'M'}${(n * step).toFixed(1)} ${(24 - (value / most) * 22).toFixed(1)}`,
  );
  return (
    <svg class="spark" viewBox="0 0 100 26" preserveAspectRatio="none" aria-hidden="true">
      <path d={path.join('')} />
    </svg>
  );
}
