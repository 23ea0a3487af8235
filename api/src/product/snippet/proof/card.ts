// A card: in a shadow root of its own, its words as text, its looks a constructed sheet; it takes no focus and moves nothing.
import { BASE, draw, make, type Said, type Style, sheetOf, WORDS, type Words } from './draw.ts';
import { lang, safe, tag } from './page.ts';

/** What becomes of a card, each at most once. */
export interface Watch {
  /** Half of it was seen for a second. */
  shown(): void;
  hovered(): void;
  clicked(): void;
  dismissed(): void;
  /** It is gone, whatever the reason. */
  gone(): void;
}

const SEEN_MS = 1000;
const HOVER_MS = 400;
const STAYS_MS = 8000;
const MS_A_LETTER = 60;
const sheets: Record<string, CSSStyleSheet> = {};

/**
 * Puts a card into the page.
 * place    of the page's own, for an inline one; else it is fixed
 * returns  what takes it away again, without a word, and what hides it meanwhile, its place kept
 */
export function put(
  channel: string,
  place: Element | null,
  variant: Said,
  feed: { styles?: Record<string, Style>; words?: Words } | undefined,
  watch: Watch,
): { end(): void; hide(isHidden: boolean): void } {
  const { text, receipt } = variant;
  const key = variant.style || '';
  const style = feed?.styles?.[key];
  const host = document.createElement('mk-proof');
  const root = host.attachShadow({ mode: 'open' });
  sheets.base ||= sheetOf(BASE);
  // given as a whole: older browsers' list of them cannot be added to
  root.adoptedStyleSheets = style ? [sheets.base, (sheets['t' + key] ||= sheetOf(style.css))] : [sheets.base];

  let isOver = false;
  const timers: Record<string, unknown> = {};
  const once: Record<string, 1> = {};
  const tell = (what: 'shown' | 'hovered' | 'clicked' | 'dismissed') => {
    if (!once[what]) {
      once[what] = 1;
      watch[what]();
    }
  };
  const wait = (name: string, ms: number, work: () => void) => {
    clearTimeout(timers[name] as number);
    timers[name] = setTimeout(safe(work), ms);
  };
  const end = () => {
    if (isOver) return;
    isOver = true;
    for (const name in timers) clearTimeout(timers[name] as number);
    seen.disconnect();
    removeEventListener('keydown', onKey);
    document.removeEventListener('visibilitychange', look);
    host.remove();
    watch.gone();
  };
  const dismiss = () => {
    tell('dismissed');
    end();
  };
  const onKey = safe((event: KeyboardEvent) => {
    event.key == 'Escape' && dismiss();
  });

  // Half of it, for a second of a page that is looked at: whatever breaks that begins it again.
  let half = false;
  const look = () => {
    if (half && !document.hidden) wait('shown', SEEN_MS, () => tell('shown'));
    else clearTimeout(timers.shown as number);
  };
  const seen = new IntersectionObserver(
    safe((entries: IntersectionObserverEntry[]) => {
      half = entries[entries.length - 1]!.intersectionRatio >= 0.5;
      look();
    }),
    { threshold: [0, 0.5] },
  );

  const card = draw(
    channel,
    { ...variant, receipt: receipt && new URL('/proof/' + receipt, tag.src) + '' },
    style,
    feed?.words || WORDS,
    () => tell('clicked'),
    dismiss,
  );
  card.lang = feed?.words?.lang || lang;

  // Whoever reads or points at it has all the time they want.
  const clock = () => channel == 'toast' && wait('gone', Math.max(STAYS_MS, text.length * MS_A_LETTER), end);
  const hold = () => clearTimeout(timers.gone as number);
  let isHeld = 0;
  const held = (by: number) => () => {
    isHeld += by;
    isHeld > 0 ? hold() : clock();
  };
  card.onmouseenter = () => {
    wait('hovered', HOVER_MS, () => tell('hovered'));
    held(1)();
  };
  card.onmouseleave = () => {
    clearTimeout(timers.hovered as number);
    held(-1)();
  };
  card.addEventListener(
    'focusin',
    () => card.contains((root as DocumentOrShadowRoot).activeElement) && hold(),
  );
  card.addEventListener('focusout', () => isHeld > 0 || clock());

  // The region is there before its words: only then a screen reader says them.
  const region = make('div', { role: 'status' } as Partial<HTMLDivElement>);
  root.append(region);
  (place || document.body).append(host);
  wait('words', 0, () => {
    region.append(card);
    seen.observe(card);
    clock();
  });
  addEventListener('keydown', onKey);
  document.addEventListener('visibilitychange', look);
  return {
    end,
    hide(isHidden) {
      host.style.visibility = isHidden ? 'hidden' : '';
    },
  };
}
