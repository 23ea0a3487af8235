// How fast pages were for visitors, three quarters of whom it was at least so fast for.
import type { MetricsPage } from '../../../metrics/reports/page.ts';
import { format, words } from '../lib/state.ts';

type Row = MetricsPage['vitals'][number];
/** Good and poor by web.dev/vitals. */
const BOUNDS: Record<Row['name'], readonly [number, number]> = {
  lcpMs: [2500, 4000],
  inpMs: [200, 500],
  clsScore: [0.1, 0.25],
  fcpMs: [1800, 3000],
  ttfbMs: [800, 1800],
};

const said = (name: Row['name'], value: number | null) =>
  value === null
    ? '–'
    : name === 'clsScore'
      ? format.value.decimal(value)
      : `${format.value.count(Math.round(value))} ms`;

function Verdict({ row: { name, p75 } }: { row: Row }) {
  const w = words.value!;
  if (p75 === null) return null;
  const [good, poor] = BOUNDS[name];
  const level = p75 <= good ? 'good' : p75 <= poor ? 'fair' : 'poor';
  return <span class={`verdict ${level}`}>{w.verdicts[level]}</span>;
}

export function Vitals({ rows }: { rows: readonly Row[] }) {
  const w = words.value!;
  return (
    <section class="panel" aria-label={w.vitalsTitle}>
      <div class="tabs">
        <h2>{w.vitalsTitle}</h2>
      </div>
      <table>
        <thead>
          <tr>
            <th scope="col">
              <span class="unseen">{w.vitalsTitle}</span>
            </th>
            <th scope="col" class="n">
              p75
            </th>
            <th scope="col" class="n">
              {w.measured}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name}>
              <th scope="row">
                <span class="label">{w.vitals[row.name]}</span> <Verdict row={row} />
              </th>
              <td class="n">{said(row.name, row.p75)}</td>
              <td class="n">{format.value.count(row.measured)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
