// What a notification would say now, with the numbers there are: asked of the API while one writes, drawn as on the site.
import { useEffect, useState } from 'preact/hooks';
import { badge } from '../../../proof/badge.ts';
import { besideOf, sourceOf, wordsIn } from '../../../proof/card-words.ts';
import type { FeedItem } from '../../../proof/feed-shape.ts';
import { ask, Refusal } from '../lib/ask.ts';
import { inAttribute } from '../lib/html.ts';
import { format, language as readers, site } from '../lib/state.ts';
import { Copy } from '../parts/copy.tsx';
import { type Content, isCounted, type Shown, wordsOf } from './draft.ts';
import { Pick } from './fields.tsx';
import { type Look, Screen } from './screen.tsx';
import { Shapes, shapeNow } from './shapes.tsx';
import { nameOf } from './words-part.tsx';

interface Seen {
  showing: boolean;
  why: Shown['why'];
  value: number | null;
  minimum: number | null;
  excluded: { bots: number; staff: number; voided: number } | null;
  asOf: string;
  cards: Record<string, { text: string; review: FeedItem['review'] }[]>;
}

/** Nothing that its content could mend. */
const BY_STATUS: ReadonlySet<string> = new Set(['draft', 'paused', 'ended', 'scheduled', 'outside_schedule']);
const TYPING_MS = 350;
const MOST = 6;

/** Asked again a moment after the last letter. changes: what is not kept yet */
export function usePreview(path: string, changes: Partial<Content>, version: number) {
  const [seen, setSeen] = useState<Seen | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const body = JSON.stringify(changes);
  useEffect(() => {
    const ending = new AbortController();
    const timer = setTimeout(
      () =>
        ask<Seen>(`${path}/preview`, { body: JSON.parse(body), signal: ending.signal }).then(
          (answer) => {
            setSeen(answer);
            setRefusal(null);
          },
          (error) => error instanceof Refusal && setRefusal(error),
        ),
      TYPING_MS,
    );
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [path, body, version]);
  return { seen, refusal };
}

export function Preview({
  kept,
  draft,
  seen,
  isRefused,
  look,
}: {
  kept: { notificationId: string; kind: Shown['kind'] };
  draft: Content;
  seen: Seen | null;
  /** What is written now cannot be: the last that could is shown. */
  isRefused: boolean;
  look: Look;
}) {
  const w = wordsOf();
  const [language, setLanguage] = useState<string | null>(null);
  const [channel, setChannel] = useState<string | null>(null);
  const languages = Object.keys(draft.texts);
  const spoken =
    languages.find((one) => one === language) ??
    languages.find((one) => one.split('-')[0] === readers.value) ??
    languages[0] ??
    'en';
  const shown = draft.channels.find((one) => one === channel) ?? draft.channels[0] ?? 'toast';
  const cards = seen?.cards[spoken] ?? [];
  const first = cards[0];
  const isFew = seen?.value !== null && seen?.minimum !== null && (seen?.value ?? 0) < (seen?.minimum ?? 0);
  const isResting = BY_STATUS.has(seen?.why ?? '');
  return (
    <section class="card look" aria-label={w.preview}>
      <div class="head">
        <h2>{w.preview}</h2>
        <span class="room" />
        <Shapes />
      </div>
      <div class={isRefused || !seen ? 'old' : ''}>
        <Screen
          card={
            first
              ? { ...first, link: isRefused ? null : draft.link, source: isRefused ? null : draft.source }
              : null
          }
          channel={shown}
          look={look}
          shape={shapeNow()}
          language={spoken}
        />
      </div>
      {first && shown === 'page' && (isCounted(kept.kind) || kept.kind === 'message') && (
        <Badge id={kept.notificationId} card={first} source={draft.source} language={spoken} />
      )}
      {(languages.length > 1 || draft.channels.length > 1) && (
        <div class="pair">
          {languages.length > 1 && (
            <Pick
              label={w.inLanguage}
              value={spoken}
              set={setLanguage}
              of={languages.map((one) => [one, nameOf(one)] as const)}
            />
          )}
          {draft.channels.length > 1 && (
            <Pick
              label={w.shownAs}
              value={shown}
              set={setChannel}
              of={draft.channels.map((one) => [one, w.channels[one]] as const)}
            />
          )}
        </div>
      )}
      <div role="status">
        {isRefused && <p class="wrong">{w.notLikeThis}</p>}
        {seen?.why && !isRefused && !isFew && (
          <p class={isResting ? 'soft' : 'notice warn'}>○ {w.why[seen.why]}</p>
        )}
        {seen && !isRefused && (isResting || !seen.why) && cards.length === 0 && (
          <p class="notice warn">{w.noCard}</p>
        )}
        {seen && !isRefused && cards.length > 0 && (
          <ul class="lines says">
            {cards.slice(0, MOST).map(({ text }, n) => (
              <li key={n} lang={spoken} dir="auto">
                {text}
              </li>
            ))}
          </ul>
        )}
        {seen && seen.value !== null && (
          <p>
            <strong>{w.counted(format.value.count(seen.value))}</strong>
            {isFew && (
              <span class="status withdrawn"> {w.belowMinimum(format.value.count(seen.minimum ?? 0))}</span>
            )}
          </p>
        )}
        {seen?.excluded && (
          <p class="soft">
            {w.leftOut(
              format.value.count(seen.excluded.bots),
              format.value.count(seen.excluded.staff),
              format.value.count(seen.excluded.voided),
            )}
          </p>
        )}
        {seen && seen.value !== null && !seen.excluded && <p class="soft">{w.leftOutUncounted}</p>}
      </div>
      {seen && <p class="soft small">{w.asOf(format.value.moment(seen.asOf, site.value!.timeZone))}</p>}
    </section>
  );
}

/** For pages where not even a frame stands: the picture as it would be, and the line that shows it. */
function Badge({
  id,
  card,
  source,
  language,
}: {
  id: string;
  card: Seen['cards'][string][number];
  source: Content['source'];
  language: string;
}) {
  const w = wordsOf();
  const words = wordsIn(language);
  const says = [card.text, ...besideOf(card.review, words), ...sourceOf(source, words)].join(' · ');
  const question = new URLSearchParams({ site: site.value!.key, n: id, lang: language });
  const address = inAttribute(`${location.origin}/v1/badge.svg?${question}`);
  return (
    <div class="badge">
      <p class="soft">{w.badgeSays}</p>
      <img src={`data:image/svg+xml,${encodeURIComponent(badge(says))}`} alt={says} />
      <Copy text={`<img src="${address}" alt="${inAttribute(w.badgeAlt)}">`} label={w.badgeLine} />
    </div>
  );
}
