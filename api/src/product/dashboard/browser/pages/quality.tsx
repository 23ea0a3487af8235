// How far the numbers can be trusted: the ledger of each day, what was refused and why, who was a robot.
import type { z } from 'zod';
import type { quality } from '../../../metrics/reports/quality.ts';
import { daysOf } from '../lib/place.ts';
import { format, place, site, words } from '../lib/state.ts';
import { todayIn } from '../lib/today.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { Problem } from '../parts/problem.tsx';
import { RangeBar } from '../parts/range-bar.tsx';
import { Table } from '../parts/table.tsx';

type Told = z.output<typeof quality.answer>;

const listOf = (counts: Record<string, number>) =>
  Object.entries(counts)
    .sort((a, b) => b[1] - a[1])
    .map(([reason, n]) => `${reason} ${format.value.count(n)}`)
    .join(', ');

function Days({ days }: { days: Told['days'] }) {
  const w = words.value!;
  const f = format.value;
  return (
    <Table
      caption={w.ledger}
      rows={days.toReversed()}
      keyOf={({ day }) => day}
      columns={[
        { says: w.day, of: ({ day }) => f.day(day) },
        ...(['received', 'accepted', 'duplicate'] as const).map((name) => ({
          says: w.ledgerColumns[name],
          as: 'n' as const,
          of: (day: Told['days'][number]) => f.count(day[name]),
        })),
        {
          says: w.ledgerColumns.rejected,
          as: 'n',
          of: ({ rejected, rejectedByReason }) => (
            <span title={listOf(rejectedByReason)}>{f.count(rejected)}</span>
          ),
        },
        {
          says: w.robots,
          as: 'n',
          of: ({ botEvents, botsByReason }) => <span title={listOf(botsByReason)}>{f.count(botEvents)}</span>,
        },
        { says: w.lateEvents, as: 'n', of: ({ lateEvents }) => f.count(lateEvents) },
        { says: w.awayMinutes, as: 'n', of: (day) => f.count(day.minutesWithoutService) },
        {
          says: w.balance,
          of: ({ balanced }) => (
            <span class={balanced ? 'good' : 'wrong'}>{balanced ? w.balanced : w.notBalanced}</span>
          ),
        },
      ]}
    />
  );
}

export function Quality() {
  const w = words.value!;
  const own = site.value!;
  const days = daysOf(place.value.look.range, todayIn(own.timeZone));
  const { data, problem, again, isOld } = useAnswer<Told>(
    `/v1/metrics/quality?${new URLSearchParams({ propertyId: own.key, ...days })}`,
  );
  return (
    <>
      <h1 tabIndex={-1}>{w.pages.quality}</h1>
      <RangeBar days={days} zone={own.timeZone} isAlone />
      {problem && <Problem problem={problem} again={again} />}
      {data && (
        <div class={isOld ? 'old' : undefined} aria-busy={isOld}>
          <p>{w.ledgerSays}</p>
          <Days days={data.days} />
          <h2>{w.addresses}</h2>
          <p>
            {(['business', 'free_mail', 'disposable'] as const)
              .map((kind) => `${w.domains[kind]} ${format.value.count(data.domains.byClass[kind])}`)
              .join(' · ')}
          </p>
        </div>
      )}
    </>
  );
}
