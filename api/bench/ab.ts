// How often A/B tests are wrong and how soon they are right, by simulation; the seed decides all of it.
//   npm run bench:ab [-- --seed 1 --runs 10000]
import { parseArgs } from 'node:util';
import {
  evenness,
  simulate,
  simulateMismatch,
  simulateSeveral,
} from '../src/product/ab-tests/simulate.model.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, runs: { type: 'string', default: '10000' } },
});
const seed = Number(values.seed);
const runs = Number(values.runs);
const conversions = 5000;
const percent = (part: number) => `${(part * 100).toFixed(2)} %`;
let failed = 0;
const figures: Record<string, string>[] = [];
const line = (what: string, target: string, figure: string, met: boolean) => {
  console.log(`${what}: ${figure} (${target})`); // a line takes minutes
  figures.push({ what, target, figure, met: met ? 'yes' : 'NO' });
  if (!met) failed += 1;
};

console.log(`seed ${seed}, ${runs} tests a line, looked at after each of ${conversions} conversions`);
for (const share of [0.5, 0.8, 0.9]) {
  const { decided } = simulate({ runs, conversions, share, lift: 0, seed });
  line(`no effect, variant's share ${share}: decided`, 'at most 5 %', percent(decided), decided <= 0.05);
}
for (const shares of [
  [0.25, 0.25],
  [0.2, 0.2, 0.2],
  [0.2, 0.2, 0.2, 0.2],
  [0.5, 0.2, 0.1, 0.1],
]) {
  const wrong = simulateSeveral({ runs, conversions, shares, seed });
  line(
    `no effect, variants of ${shares.join(', ')}: any decided`,
    'at most 5 %',
    percent(wrong),
    wrong <= 0.05,
  );
}
for (const [share, lift] of [
  [0.5, 0.1],
  [0.5, 0.3],
  [0.5, -0.3],
  [0.8, 0.3],
  [0.9, 0.3],
] as const) {
  const { missed, median } = simulate({ runs, conversions, share, lift, seed: seed + 1 });
  line(`lift ${lift}, share ${share}: always covered`, 'at least 95 %', percent(1 - missed), missed <= 0.05);
  if (share === 0.5 && lift === 0.3)
    line(
      `lift ${lift}, share ${share}: decided by a median of converters`,
      'at most 550',
      String(median),
      median !== null && median <= 550,
    );
  else console.log(`         median of converters to decide: ${median ?? `over ${conversions}`}`);
}
const flagged = simulateMismatch({
  runs: runs / 10,
  visitors: 1500,
  share: 0.5,
  really: 0.6,
  seed: seed + 2,
});
line('60/40 for 50/50, flagged by 1500 visitors', 'at least 95 %', percent(flagged), flagged >= 0.95);
const ids = 1_000_000;
const { parts, together } = evenness(ids, seed + 3);
// chi-square over its degrees of freedom: four standard deviations of 9999, and one in a thousand of 3
line(
  `${ids} ids over 10 000 parts, chi-square a degree of freedom`,
  'below 1.057',
  parts.toFixed(3),
  parts < 1.057,
);
line('the arms of two tests are independent, likewise', 'below 5.43', together.toFixed(3), together < 5.43);
console.table(figures);
process.exitCode = failed > 0 ? 1 : 0;
