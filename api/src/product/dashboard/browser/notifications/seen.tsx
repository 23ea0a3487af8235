// What became of a notification in the last four weeks: how often it was seen and by how many, what they did, and whether
// it helped, as far as a test knows. A share of a few people is told as what it is: so many of so many.
import { addDays } from '../../../../ground/lib/days.ts';
import type { NotificationNumbers } from '../../../counting/numbers.ts';
import { wilson } from '../lib/format.ts';
import { format, site, to, words } from '../lib/state.ts';
import { todayIn } from '../lib/today.ts';
import { signed } from '../lib/verdict.ts';
import { wordsOf } from './draft.ts';

const DAYS = 28;
const SMALL = 30;

/** Today is among them: what was seen a minute ago is too. */
export function lastDays(): string {
  const end = todayIn(site.value!.timeZone);
  return `start=${addDays(end, 1 - DAYS)}&end=${end}`;
}

function shareOf(part: number, of: number): string {
  const { count, share } = format.value;
  if (of >= SMALL) return share(part / of);
  const bounds = wilson(Math.min(part, of), of).map(share).join(' – ');
  return `${words.value!.ofSo(count(part), count(of))} (${bounds})`;
}

export function Seen({ numbers }: { numbers: NotificationNumbers | undefined }) {
  const w = wordsOf();
  if (!numbers) return null;
  const { impressions, viewers, clickers, dismissers } = numbers;
  const { count } = format.value;
  if (impressions === 0) return <p class="soft small">{w.seenNever(DAYS)}</p>;
  return (
    <p class="soft small">
      {w.seen(DAYS, impressions, count(impressions), viewers, viewers === null ? '' : count(viewers))}
      {viewers !== null && viewers > 0 && (
        <>
          {' · '}
          {w.clicked(shareOf(clickers!, viewers))}
          {' · '}
          {w.closed(shareOf(dismissers!, viewers))}
        </>
      )}
      {' · '}
      <Lift numbers={numbers} />
    </p>
  );
}

function Lift({ numbers: { lift } }: { numbers: NotificationNumbers }) {
  const w = wordsOf();
  if (!lift) return <>{w.noLift}</>;
  const bound = (value: number | null) => (value === null ? w.unlimited : signed(value, format.value));
  const of = lift.comparisons.map((one) => `“${one.variant}” ${bound(one.low)} … ${bound(one.high)}`);
  return (
    <a href={to({ page: 'tests', id: lift.testId })}>
      {w.lift(w.lifts[lift.verdict])}
      {lift.verdict !== 'invalid' && `: ${of.join(', ')}`}
    </a>
  );
}
