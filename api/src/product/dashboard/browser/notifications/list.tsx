// Notifications of this site: what each says, whether visitors see it now, and why not.
import { useState } from 'preact/hooks';
import type { NotificationNumbers } from '../../../counting/numbers.ts';
import { ask, type Refusal } from '../lib/ask.ts';
import { toHeading } from '../lib/focus.ts';
import { inAttribute } from '../lib/html.ts';
import { isOneOf, site, to } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { Copy } from '../parts/copy.tsx';
import { More } from '../parts/more.tsx';
import { Problem } from '../parts/problem.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { type Shown, wordsOf } from './draft.ts';
import { lastDays, Seen } from './seen.tsx';
import { Standing, Steps } from './steps.tsx';

interface Listed {
  notifications: Shown[];
  nextCursor: string | null;
}
interface Counted {
  numbers: NotificationNumbers[];
}

/** How often what shows is looked at again. */
const EVERY_MS = 15_000;

export const mayChange = (): boolean => isOneOf('owner', 'admin');
export const pathOf = (what: 'notifications' | 'templates'): string =>
  `/v1/sites/${encodeURIComponent(site.value!.siteId)}/${what}`;

export function NotificationList() {
  const w = wordsOf();
  const path = pathOf('notifications');
  const { data, problem, again } = useAnswer<Listed>(`${path}?limit=100`, EVERY_MS);
  const counted = `/v1/sites/${encodeURIComponent(site.value!.siteId)}/notification-numbers?${lastDays()}&limit=100`;
  const newest = useAnswer<Counted>(counted);
  const [older, setOlder] = useState<Listed | null>(null);
  const [olderNumbers, setOlderNumbers] = useState<NotificationNumbers[]>([]);
  const [refused, setRefused] = useState<Refusal | null>(null);
  const all = [...(data?.notifications ?? []), ...(older?.notifications ?? [])];
  const next = older ? older.nextCursor : (data?.nextCursor ?? null);
  const seen = new Map(
    [...(newest.data?.numbers ?? []), ...olderNumbers].map((one) => [one.notificationId, one]),
  );
  const more = () => {
    const cursor = encodeURIComponent(next!);
    ask<Listed>(`${path}?limit=100&cursor=${cursor}`).then(
      ({ notifications, nextCursor }) =>
        setOlder({ notifications: [...(older?.notifications ?? []), ...notifications], nextCursor }),
      setRefused,
    );
    ask<Counted>(`${counted}&cursor=${cursor}`).then(
      ({ numbers }) => setOlderNumbers([...olderNumbers, ...numbers]),
      setRefused,
    );
  };
  const line = `<script async src="${location.origin}/s.js" data-site="${inAttribute(site.value!.key)}" data-notifications></script>`;
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{w.title}</h1>
        <span class="room" />
        {mayChange() && (
          <>
            <a class="quiet" href={to({ page: 'templates' })}>
              {w.templates}
            </a>
            <a class="act" href={to({ id: 'new' })}>
              {w.make}
            </a>
          </>
        )}
      </div>
      <p class="soft">{w.says}</p>
      {problem && <Problem problem={problem} again={again} />}
      {refused && <Problem problem={refused} />}
      {!data && !problem && <Skeleton />}
      {data && all.length === 0 && <p class="notice">{w.none}</p>}
      <ul class="cards-of">
        {all.map((one) => (
          <li key={one.notificationId} class={`card${one.status === 'ended' ? ' over' : ''}`}>
            <div>
              <a class="name" href={to({ id: one.notificationId })}>
                {one.name}
              </a>
              <p class="soft small">
                {w.kinds[one.kind]} · {one.channels.map((channel) => w.channels[channel]).join(', ')} ·{' '}
                {w.version(one.version)}
              </p>
              <Standing one={one} />
              {one.status !== 'draft' && <Seen numbers={seen.get(one.notificationId)} />}
            </div>
            {mayChange() && (
              <Steps
                one={one}
                path={`${path}/${one.notificationId}`}
                failed={setRefused}
                done={(changed) => {
                  setRefused(null);
                  again();
                  if (!changed || changed.status === 'ended') toHeading();
                }}
              />
            )}
          </li>
        ))}
      </ul>
      <More more={next ? more : null} says={w.more} />
      {mayChange() && data && (
        <section class="card">
          <h2>{w.snippet}</h2>
          <p>{w.snippetSays}</p>
          <Copy text={line} label={w.snippet} />
        </section>
      )}
    </>
  );
}
