// How far the numbers can be trusted: the ledger of each day, what was refused and why, who was a robot.
import type { z } from 'zod';
import type { quality } from '../../../metrics/reports/quality.ts';
import { daysOf } from '../lib/place.ts';
import { format, place, site, words } from '../lib/state.ts';
import { todayIn } from '../lib/today.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { Problem } from '../parts/problem.tsx';
import { RangeBar } from '../parts/range-bar.tsx';

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
    <div class="scroll">
      <table class="wide">
        <caption class="unseen">{w.ledger}</caption>
        <thead>
          <tr>
            <th scope="col">{w.day}</th>
            {(['received', 'accepted', 'duplicate', 'rejected'] as const).map((name) => (
              <th key={name} scope="col" class="n">
                {w.ledgerColumns[name]}
              </th>
            ))}
            <th scope="col" class="n">
              {w.robots}
            </th>
            <th scope="col" class="n">
              {w.lateEvents}
            </th>
            <th scope="col" class="n">
              {w.awayMinutes}
            </th>
            <th scope="col">{w.balance}</th>
          </tr>
        </thead>
        <tbody>
          {[...days].reverse().map((day) => (
            <tr key={day.day}>
              <th scope="row">{f.day(day.day)}</th>
              <td class="n">{f.count(day.received)}</td>
              <td class="n">{f.count(day.accepted)}</td>
              <td class="n">{f.count(day.duplicate)}</td>
              <td class="n" title={listOf(day.rejectedByReason)}>
                {f.count(day.rejected)}
              </td>
              <td class="n" title={listOf(day.botsByReason)}>
                {f.count(day.botEvents)}
              </td>
              <td class="n">{f.count(day.lateEvents)}</td>
              <td class="n">{f.count(day.minutesWithoutService)}</td>
              <td class={day.balanced ? 'good' : 'wrong'}>{day.balanced ? w.balanced : w.notBalanced}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
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
