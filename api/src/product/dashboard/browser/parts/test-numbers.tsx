// The numbers of an A/B test: what the arms did, the interval of each effect, and whether both can be believed.
import type { Results } from '../../../ab-tests/schema.ts';
import { format } from '../lib/state.ts';
import { signed } from '../lib/verdict.ts';
import type { TestsWords } from '../words/en/tests.ts';
import { saysEvidence } from './evidence.tsx';
import { Table } from './table.tsx';

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
      <Table
        isOfNumbers
        caption={w.arms}
        rows={arms}
        keyOf={({ key }) => key}
        columns={[
          { says: w.arm, of: ({ key }) => nameOf(key, w) },
          { says: w.share, as: 'n more', of: ({ key }) => share(shares.get(key) ?? test.controlShare) },
          { says: w.exposed, as: 'n', of: ({ exposed }) => count(exposed) },
          { says: w.converted, as: 'n', of: ({ converted }) => count(converted) },
          { says: w.rate, as: 'n', of: ({ rate }) => (rate === null ? '–' : share(rate)) },
        ]}
      />
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
      <Table
        isOfNumbers
        caption={w.compared}
        rows={comparisons}
        keyOf={({ variant }) => variant}
        columns={[
          { says: w.variant, of: ({ variant }) => variant },
          { says: w.lift, as: 'n', of: ({ lift }) => (lift === null ? '–' : signed(lift, format.value)) },
          {
            says: w.between,
            as: 'n',
            of: ({ low, high }) =>
              `${signed(low, format.value)} … ${high === null ? w.unlimited : signed(high, format.value)}`,
          },
          {
            says: w.between,
            isUnnamed: true,
            as: 'more',
            of: ({ lift, low, high }) => (
              <svg class="interval" viewBox="0 0 200 24" aria-hidden="true">
                <line class="zero" x1={x(0)} x2={x(0)} y1="0" y2="24" />
                <line class="span" x1={x(low)} x2={x(high ?? 9)} y1="12" y2="12" />
                {lift !== null && <circle class="dot" cx={x(lift)} cy="12" r="4" />}
              </svg>
            ),
          },
          { says: w.evidence, as: 'n more', of: ({ evidence }) => saysEvidence(evidence) },
          { says: w.chance, as: 'n more', of: ({ p }) => (p < 0.001 ? `< ${share(0.001)}` : share(p)) },
        ]}
      />
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
      <Table
        isOfNumbers
        caption={w.guards}
        rows={arms}
        keyOf={({ key }) => key}
        columns={[
          { says: w.arm, of: ({ key }) => nameOf(key, w) },
          ...GUARDS.map((guard) => ({
            says: w[guard],
            as: 'n' as const,
            of: ({ key }: Results['arms'][number]) => {
              const value = guards[guard][key] ?? null;
              return value === null ? '–' : says[guard](value);
            },
          })),
        ]}
      />
    </section>
  );
}
