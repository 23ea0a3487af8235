// A/B tests of the site: which there are and what came of them; one of them, or the form that makes one.
import type { AbTest } from '../../../ab-tests/schema.ts';
import type { Notification } from '../../../notifications/schema.ts';
import { writePlace } from '../lib/place.ts';
import { format, language, place, site, words } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { usePages } from '../lib/use-pages.ts';
import { More } from '../parts/more.tsx';
import { Problem } from '../parts/problem.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { Table } from '../parts/table.tsx';
import { tests as en } from '../words/en/tests.ts';
import { tests as fr } from '../words/fr/tests.ts';

type Words = typeof en;

export const testPath = (testId: string): string => writePlace({ ...place.value, page: 'tests', id: testId });

/** A person does what, where, how soon: in a sentence. */
export function goalSays({ of, where, withinDays }: AbTest['goal'], w: Words): string {
  const does = of.startsWith('event:') ? w.didEvent(of.slice('event:'.length)) : (w.goals[of] ?? of);
  const path = where.path === undefined ? '' : of === 'page_views' ? where.path : w.onPage(where.path);
  return w.goalSays(does, path, withinDays);
}

function Verdict({ test, w }: { test: AbTest; w: Words }) {
  const { status, verdict, chosen } = test;
  if (status === 'draft') return <span class="status">{w.states.draft}</span>;
  const says =
    chosen !== null
      ? w.chosen(chosen)
      : status === 'ended' && verdict === 'undecided'
        ? w.stopped
        : w.verdicts[verdict];
  return (
    <>
      <span class={`status ${verdict}`}>{says}</span>
      {status === 'running' && <span class="soft"> · {w.states.running}</span>}
    </>
  );
}

export function TestList() {
  const w: Words = language.value === 'fr' ? fr : en;
  const base = `/v1/sites/${encodeURIComponent(site.value!.siteId)}`;
  const { rows, problem, more, again } = usePages<{ tests: AbTest[]; nextCursor: string | null }, AbTest>(
    `${base}/ab-tests?limit=50`,
    ({ tests }) => tests,
  );
  const { data } = useAnswer<{ notifications: Notification[] }>(`${base}/notifications?limit=100`);
  const names = new Map(data?.notifications.map(({ notificationId, name }) => [notificationId, name]));
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{words.value!.pages.tests}</h1>
        <span class="room" />
        <a class="act button" href={testPath('new')}>
          {w.make}
        </a>
      </div>
      <p class="soft">{w.says}</p>
      {problem && <Problem problem={problem} again={again} />}
      {!rows && !problem && <Skeleton />}
      {rows?.length === 0 && <p class="notice">{w.none}</p>}
      {rows && rows.length > 0 && (
        <section class="card">
          <Table
            caption={words.value!.pages.tests}
            rows={rows}
            keyOf={({ testId }) => testId}
            columns={[
              {
                says: w.notification,
                of: ({ testId, notificationId }) => (
                  <a href={testPath(testId)}>{names.get(notificationId) ?? notificationId.slice(0, 8)}</a>
                ),
              },
              { says: w.state, of: (test) => <Verdict test={test} w={w} /> },
              { says: w.goal, as: 'more', of: ({ goal }) => goalSays(goal, w) },
              {
                says: w.began,
                as: 'n more',
                of: ({ startedAt }) =>
                  startedAt ? format.value.moment(startedAt, site.value!.timeZone) : '–',
              },
            ]}
          />
        </section>
      )}
      <More more={more} says={words.value!.moreRows} />
    </>
  );
}
