// The numbers of an A/B test: what the arms did, the interval of each effect, and whether both can be believed.
import type { Results } from '../../../ab-tests/schema.ts';
import { format } from '../lib/state.ts';
import { signed } from '../lib/verdict.ts';
import type { TestsWords } from '../words/en/tests.ts';
import { saysEvidence } from './evidence.tsx';

interface Props {
  results: Results;
  w: TestsWords;
}
const nameOf = (key: string, w: TestsWords) => (key === 'control' ? w.controlArm : key);

export function Arms({ results: { arms, test }, w }: Props) {
  const { count, share } = format.value;
  const shares = new Map(test.variants.map((one) => [one.key, one.share]));
  return (
    <section class="card">
      <h2>{w.arms}</h2>
      <table class="wide numbers">
        <caption class="unseen">{w.arms}</caption>
        <thead>
          <tr>
            <th scope="col">{w.arm}</th>
            <th scope="col" class="n more">
              {w.share}
            </th>
            <th scope="col" class="n">
              {w.exposed}
            </th>
            <th scope="col" class="n">
              {w.converted}
            </th>
            <th scope="col" class="n">
              {w.rate}
            </th>
          </tr>
        </thead>
        <tbody>
          {arms.map(({ key, exposed, converted, rate }) => (
            <tr key={key}>
              <th scope="row">{nameOf(key, w)}</th>
              <td class="n more">{share(shares.get(key) ?? test.controlShare)}</td>
              <td class="n">{count(exposed)}</td>
              <td class="n">{count(converted)}</td>
              <td class="n">{rate === null ? '–' : share(rate)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** On a scale of ratios, so that half as many stands as far from none as twice as many. */
const log = (lift: number) => Math.log(1 + Math.max(-0.9, Math.min(9, lift)));

export function Compared({ results: { comparisons }, w }: Props) {
  const { share } = format.value;
  const ends = comparisons.flatMap(({ low, high }) => [low, high ?? 9]);
  const [from, to] = [log(Math.min(-0.2, ...ends)), log(Math.max(0.25, ...ends))];
  const x = (lift: number) => 4 + ((log(lift) - from) / (to - from)) * 192;
  return (
    <section class="card">
      <h2>{w.compared}</h2>
      <table class="wide numbers">
        <caption class="unseen">{w.compared}</caption>
        <thead>
          <tr>
            <th scope="col">{w.variant}</th>
            <th scope="col" class="n">
              {w.lift}
            </th>
            <th scope="col" class="n">
              {w.between}
            </th>
            <th scope="col" class="more">
              <span class="unseen">{w.between}</span>
            </th>
            <th scope="col" class="n more">
              {w.evidence}
            </th>
            <th scope="col" class="n more">
              {w.chance}
            </th>
          </tr>
        </thead>
        <tbody>
          {comparisons.map(({ variant, lift, low, high, evidence, p }) => (
            <tr key={variant}>
              <th scope="row">{variant}</th>
              <td class="n">{lift === null ? '–' : signed(lift, format.value)}</td>
              <td class="n">
                {signed(low, format.value)} … {high === null ? w.unlimited : signed(high, format.value)}
              </td>
              <td class="more">
                <svg class="interval" viewBox="0 0 200 24" aria-hidden="true">
                  <line class="zero" x1={x(0)} x2={x(0)} y1="0" y2="24" />
                  <line class="span" x1={x(low)} x2={x(high ?? 9)} y1="12" y2="12" />
                  {lift !== null && <circle class="dot" cx={x(lift)} cy="12" r="4" />}
                </svg>
              </td>
              <td class="n more">{saysEvidence(evidence)}</td>
              <td class="n more">{p < 0.001 ? `< ${share(0.001)}` : share(p)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const GUARDS = ['cls', 'inp', 'formCompletion'] as const;

export function Guards({ results: { srm, guards, arms }, w }: Props) {
  const { decimal, count, share } = format.value;
  const says = {
    cls: (value: number) => decimal(value),
    inp: (value: number) => `${count(Math.round(value))} ms`,
    formCompletion: (value: number) => share(value),
  };
  return (
    <section class="card">
      <h2>{w.checks}</h2>
      <p class={srm.flagged ? 'wrong' : 'good'}>
        {srm.flagged ? w.srmBad(saysEvidence(srm.evidence)) : w.srmGood}
      </p>
      <h3>{w.guards}</h3>
      <p class="soft">{w.guardsSay}</p>
      <table class="wide numbers">
        <caption class="unseen">{w.guards}</caption>
        <thead>
          <tr>
            <th scope="col">{w.arm}</th>
            {GUARDS.map((guard) => (
              <th key={guard} scope="col" class="n">
                {w[guard]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {arms.map(({ key }) => (
            <tr key={key}>
              <th scope="row">{nameOf(key, w)}</th>
              {GUARDS.map((guard) => {
                const value = guards[guard][key] ?? null;
                return (
                  <td key={guard} class="n">
                    {value === null ? '–' : says[guard](value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
