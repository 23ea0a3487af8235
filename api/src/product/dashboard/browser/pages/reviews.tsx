// What people wrote about the site: a list to read and to decide, each with what must be known beside it.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Review, ReviewAverage } from '../../../reviews/schema.ts';
import { Refusal } from '../lib/ask.ts';
import { writePlace } from '../lib/place.ts';
import { format, isOneOf, language, place, site, words } from '../lib/state.ts';
import { usePages } from '../lib/use-pages.ts';
import { More } from '../parts/more.tsx';
import { Problem } from '../parts/problem.tsx';
import { Decisions } from '../parts/review-decisions.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { reviews as en } from '../words/en/reviews.ts';
import { reviews as fr } from '../words/fr/reviews.ts';

const STATES = ['waiting', 'published', 'declined', 'all'] as const;
interface Listed {
  reviews: Review[];
  average: ReviewAverage;
  nextCursor: string | null;
}
type Words = typeof en;

export function ReviewList() {
  const w: Words = language.value === 'fr' ? fr : en;
  const { look } = place.value;
  const state = STATES.find((one) => look.by.includes(one)) ?? 'waiting';
  const base = `/v1/sites/${encodeURIComponent(site.value!.siteId)}/reviews`;
  const question = new URLSearchParams({ limit: '50', ...(state === 'all' ? {} : { status: state }) });
  const { rows, first, problem, isOld, more, again } = usePages<Listed, Review>(
    `${base}?${question}`,
    ({ reviews }) => reviews,
  );
  const mayDecide = isOneOf('owner', 'admin');
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{words.value!.pages.reviews}</h1>
        <span class="room" />
        {mayDecide && (
          <a class="quiet button" href={writePlace({ ...place.value, id: 'import' })}>
            {w.bring}
          </a>
        )}
      </div>
      <p class="soft">
        {w.says} {!mayDecide && w.onlyRead}
      </p>
      {first && <Average average={first.average} w={w} />}
      <nav class="tabs" aria-label={w.which}>
        {STATES.map((one) => (
          <a
            key={one}
            href={writePlace({ ...place.value, look: { ...look, by: one === 'waiting' ? [] : [one] } })}
            aria-current={one === state ? 'page' : undefined}
          >
            {w.states[one]}
          </a>
        ))}
      </nav>
      {problem && <Problem problem={problem} again={again} />}
      {!rows && !problem && <Skeleton />}
      {rows?.length === 0 && !isOld && <p class="notice">{w.none[state]}</p>}
      {rows && rows.length > 0 && (
        <ul class={isOld ? 'reviews old' : 'reviews'}>
          {rows.map((review) => (
            <One
              key={review.reviewId}
              listed={review}
              base={base}
              w={w}
              mayDecide={mayDecide}
              again={again}
            />
          ))}
        </ul>
      )}
      <More more={more} says={words.value!.moreRows} />
    </>
  );
}

function Average({ average, w }: { average: ReviewAverage; w: Words }) {
  const { count, decimal } = format.value;
  const { bots, staff } = average.excluded;
  return (
    <section class="card" aria-label={w.average}>
      <div class="figures">
        <span>
          <strong>{average.rating === null ? '–' : decimal(average.rating)}</strong> {w.average}{' '}
          <span class="soft">{w.averageOf(average.ratings, count(average.ratings))}</span>
        </span>
        <span>
          <strong>{count(average.reviews)}</strong> {w.reviews(average.reviews)}
        </span>
        <span>
          <strong>{count(average.declined)}</strong> {w.declined(average.declined)}
        </span>
      </div>
      {bots + staff > 0 && <p class="soft">{w.leftOut(count(bots), count(staff))}</p>}
    </section>
  );
}

export function Stars({ n, w }: { n: number | null; w: Words }) {
  if (n === null) return <span class="soft">{w.noStars}</span>;
  return (
    <span class="stars" role="img" aria-label={w.stars(n)}>
      {'★'.repeat(n)}
      {'☆'.repeat(5 - n)}
    </span>
  );
}

interface OneProps {
  listed: Review;
  base: string;
  w: Words;
  mayDecide: boolean;
  /** The list is asked for anew. */
  again(): void;
}

/** Stays where it is when it was decided, so that nothing jumps and the next one is the next. */
function One({ listed, base, w, mayDecide, again }: OneProps) {
  const [review, setReview] = useState(listed);
  const [refused, setRefused] = useState<Refusal | null>(null);
  const state = useRef<HTMLSpanElement>(null);
  useEffect(() => setReview(listed), [listed]);
  const changed = (now: Review) => {
    setRefused(null);
    setReview(now);
    // the button that was pressed is gone; what came of it is heard
    state.current?.focus();
  };
  const failed = (error: unknown) => {
    if (!(error instanceof Refusal)) throw error;
    setRefused(error);
    if (error.status === 412) again();
  };
  return (
    <li class="card review">
      <div>
        <p class="head">
          <Stars n={review.rating} w={w} />
          {review.product && <strong>{review.product}</strong>}
          <span class={`status ${review.status}`} tabIndex={-1} ref={state}>
            {review.reason
              ? w.because(w.stateOf[review.status], w.reasons[review.reason])
              : w.stateOf[review.status]}
          </span>
        </p>
        {review.text === null ? (
          <p class="soft">{w.noWords}</p>
        ) : (
          <blockquote lang={review.language ?? undefined}>{review.text}</blockquote>
        )}
        {review.note && <p class="soft">{review.note}</p>}
      </div>
      <Beside review={review} w={w} />
      <div>
        {refused && <Problem problem={refused} />}
        {mayDecide && (
          <Decisions
            review={review}
            path={`${base}/${review.reviewId}`}
            w={w}
            changed={changed}
            failed={failed}
          />
        )}
      </div>
    </li>
  );
}

/** What must be known before it is published, and is shown with it. */
function Beside({ review, w }: { review: Review; w: Words }) {
  const { permission, leadId } = review;
  const name = review.name ? w.named(review.name) : w.unnamed;
  const may =
    leadId === null
      ? w.nobody
      : permission === 'granted'
        ? `${w.permissions.granted}, ${name}`
        : w.permissions[permission];
  const moment = (instant: string) => format.value.moment(instant, site.value!.timeZone);
  return (
    <dl class="facts">
      <dt>{w.permission}</dt>
      <dd class={permission === 'granted' ? 'good' : 'warn'}>{may}</dd>
      <dt>{w.verified}</dt>
      <dd>{review.verified ? w.verifiedYes : w.verifiedNo}</dd>
      <dt>{w.incentive}</dt>
      <dd>{review.incentive ?? <span class="soft">{w.nothingSaid}</span>}</dd>
      <dt>{w.relationship}</dt>
      <dd>{review.relationship ?? <span class="soft">{w.nothingSaid}</span>}</dd>
      <dt>{w.source}</dt>
      <dd>
        {review.sourceUrl ? (
          <a href={review.sourceUrl} rel="noopener noreferrer nofollow">
            {review.source}
          </a>
        ) : review.source === 'form' ? (
          w.byForm
        ) : (
          review.source
        )}
      </dd>
      <dt>{w.written}</dt>
      <dd>
        <time dateTime={review.writtenAt}>{moment(review.writtenAt)}</time>
        {review.decidedAt && <span class="soft">, {w.decided(moment(review.decidedAt))}</span>}
      </dd>
      {leadId && (
        <>
          <dt>{w.person}</dt>
          <dd>
            <a href={writePlace({ ...place.value, page: 'leads', id: leadId })}>{w.lead}</a>
          </dd>
        </>
      )}
    </dl>
  );
}
