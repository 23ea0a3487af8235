// The rows behind the numbers of traffic: visits of some days, and what happened in one.
import type { Step, Visit } from '../../../metrics/sessions.ts';
import { daysOf } from '../lib/place.ts';
import { format, language, place, site, to, words } from '../lib/state.ts';
import { todayIn } from '../lib/today.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { usePages } from '../lib/use-pages.ts';
import { More } from '../parts/more.tsx';
import { Problem } from '../parts/problem.tsx';
import { RangeBar } from '../parts/range-bar.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { Table } from '../parts/table.tsx';
import { sessions as en } from '../words/en/sessions.ts';
import { sessions as fr } from '../words/fr/sessions.ts';

const wordsOf = () => (language.value === 'fr' ? fr : en);
const moment = (instant: string) => format.value.moment(instant, site.value!.timeZone);
const sourceOf = ({ source }: Visit) => (words.value!.sources as Record<string, string>)[source] ?? source;
const deviceOf = ({ deviceType, browser, os, country }: Visit) =>
  [
    (words.value!.devices as Record<string, string>)[deviceType] ?? deviceType,
    browser,
    os,
    country && format.value.country(country),
  ]
    .filter(Boolean)
    .join(', ');

interface Listed {
  sessions: Visit[];
  nextCursor: string | null;
}

export const Sessions = () => (place.value.id === null ? <List /> : <One sessionId={place.value.id} />);

function List() {
  const w = wordsOf();
  const { key, timeZone } = site.value!;
  const days = daysOf(place.value.look.range, todayIn(timeZone));
  const { rows, problem, isOld, more, again } = usePages<Listed, Visit>(
    `/v1/metrics/sessions?${new URLSearchParams({ propertyId: key, ...days, limit: '50' })}`,
    ({ sessions }) => sessions,
  );
  const { count, duration } = format.value;
  return (
    <>
      <h1 tabIndex={-1}>{words.value!.pages.sessions}</h1>
      <RangeBar days={days} zone={timeZone} isAlone />
      <p class="soft">{w.says}</p>
      {problem && <Problem problem={problem} again={again} />}
      {!rows && !problem && <Skeleton />}
      {rows?.length === 0 && <p class="notice">{w.none}</p>}
      {rows && rows.length > 0 && (
        <div class={isOld ? 'old' : undefined} aria-busy={isOld}>
          <Table
            caption={words.value!.pages.sessions}
            rows={rows}
            keyOf={({ sessionId }) => sessionId}
            columns={[
              {
                says: w.began,
                of: ({ sessionId, startedAt }) => (
                  <a href={to({ id: sessionId })}>
                    <time dateTime={startedAt}>{moment(startedAt)}</time>
                  </a>
                ),
              },
              {
                says: w.pages,
                of: ({ landingPath, exitPath, converted }) => (
                  <>
                    {landingPath}
                    {exitPath !== null && exitPath !== landingPath && ` → ${exitPath}`}
                    {converted && <span class="status express"> · {w.converted}</span>}
                  </>
                ),
              },
              { says: w.source, as: 'more', of: sourceOf },
              { says: w.with, as: 'more', of: (visit) => <span class="soft">{deviceOf(visit)}</span> },
              { says: w.looks, as: 'n', of: ({ pageViews }) => count(pageViews) },
              {
                says: w.used,
                as: 'n more',
                of: ({ engagedSeconds }) => (engagedSeconds > 0 ? duration(engagedSeconds) : '–'),
              },
            ]}
          />
        </div>
      )}
      <More more={more} says={words.value!.moreRows} />
    </>
  );
}

function One({ sessionId }: { sessionId: string }) {
  const w = wordsOf();
  const { data, problem, again } = useAnswer<{ session: Visit; steps: Step[]; cut: boolean }>(
    `/v1/metrics/sessions/${encodeURIComponent(sessionId)}`,
  );
  const facts = (visit: Visit): readonly (readonly [string, string | null])[] => [
    [w.source, sourceOf(visit)],
    [w.referrer, visit.referrer],
    [w.campaign, visit.campaign],
    [w.with, deviceOf(visit)],
    [w.landing, visit.landingPath],
    [w.exit, visit.exitPath],
    [
      w.lasted,
      format.value.duration((Date.parse(visit.lastActivityAt) - Date.parse(visit.startedAt)) / 1000),
    ],
    [w.used, format.value.duration(visit.engagedSeconds)],
  ];
  return (
    <>
      <p>
        <a href={to({})}>← {w.back}</a>
      </p>
      {(data || problem) && (
        <div class="head">
          <h1 tabIndex={-1}>{data ? w.one(moment(data.session.startedAt)) : words.value!.pages.sessions}</h1>
          {data?.session.converted && <span class="status express">{w.converted}</span>}
        </div>
      )}
      {problem && <Problem problem={problem} again={again} />}
      {!data && !problem && <Skeleton />}
      {data && (
        <div class="two">
          <section class="card">
            <h2>{w.steps}</h2>
            <ol class="timeline">
              {data.steps.map(({ at, eventType, path, engagedSeconds, isConversion }, n) => (
                <li key={`${at} ${n}`}>
                  <time dateTime={at}>{moment(at)}</time>
                  {eventType === 'page_view' ? w.looked(path) : w.did(eventType, path)}
                  {engagedSeconds ? (
                    <span class="soft"> · {w.usedFor(format.value.duration(engagedSeconds))}</span>
                  ) : null}
                  {isConversion && <span class="good"> · {w.converted}</span>}
                </li>
              ))}
            </ol>
            {data.cut && <p class="soft">{w.cut}</p>}
          </section>
          <section class="card">
            <dl class="facts">
              {facts(data.session).map(
                ([name, value]) =>
                  value && (
                    <>
                      <dt>{name}</dt>
                      <dd>{value}</dd>
                    </>
                  ),
              )}
            </dl>
          </section>
        </div>
      )}
    </>
  );
}
