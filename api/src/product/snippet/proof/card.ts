// A card: in a shadow root of its own, its words as text, its looks a constructed sheet; it takes no focus and moves nothing.
import { lang, safe, tag } from './page.ts';

export interface Variant {
  key: string;
  text: string;
  style?: string | null;
  link?: { url: string; label: string } | null;
  receipt?: string | null;
  when?: When | null;
}
/** Of a review: what must be said beside it. */
export interface Review {
  rating: number | null;
  /** By a purchase of who wrote it. */
  verified: boolean;
  incentive: string | null;
  relationship: string | null;
  selected: boolean;
}
/** What is said beside every card, in the feed's language. */
export interface Words {
  close: string;
  proof: string;
  source: string;
  selected: string;
  verified: string;
}
interface Said extends Variant {
  source?: { url: string; statedOn: string } | null | undefined;
  review?: Review | null | undefined;
}
export interface When {
  afterMs?: number;
  scrollPercent?: number | null;
  exitIntent?: boolean;
}
export interface Style {
  css: string;
  position?: string;
  logo?: string | null;
}

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

/** Where the feed has none. */
const WORDS: Words = { close: 'Close', proof: 'How we know', source: 'Source', selected: '', verified: '' };

const BASE = `:host{--mk-background:#fff;--mk-text:#1f2328;--mk-accent:#0b57a4;--mk-border:#d0d7de;--mk-radius:10px;--mk-width:340px}
@media(prefers-color-scheme:dark){:host{--mk-background:#1b1f24;--mk-text:#f0f3f6;--mk-accent:#8cc4ff;--mk-border:#444c56}}
.mk-card{box-sizing:border-box;position:relative;display:flex;gap:12px;align-items:center;max-width:var(--mk-width);padding:12px 44px 12px 16px;background:var(--mk-background);color:var(--mk-text);border:1px solid var(--mk-border);border-radius:var(--mk-radius);font:400 15px/1.4 var(--mk-font,inherit);letter-spacing:normal;text-align:start;overflow-wrap:anywhere}
.mk-card:dir(rtl){padding:12px 16px 12px 44px}
.toast,.bar{position:fixed;z-index:2147483646;inset-block-end:16px;box-shadow:0 4px 16px #0003}
.toast{inset-inline-start:16px;max-width:min(var(--mk-width),calc(100vw - 32px))}
.right{inset-inline:auto 16px}
.top{inset-block:16px auto}
.bar{inset:auto 0 0;max-width:none;border-radius:0;border-width:1px 0 0;justify-content:center}
.bar.top{inset:0 0 auto;border-width:0 0 1px}
.mk-logo{width:40px;height:40px;flex:none;object-fit:contain}
.mk-text{margin:0}
a{display:inline-block;color:var(--mk-accent);margin-inline-end:12px}
.mk-receipt{font-size:13px;color:inherit}
.mk-close{position:absolute;inset-block-start:8px;inset-inline-end:8px;width:28px;height:28px;padding:0;border:0;border-radius:4px;background:none;color:inherit;font:20px/1 sans-serif;cursor:pointer}
:focus-visible{outline:2px solid currentColor;outline-offset:2px}
@media(forced-colors:active){.mk-close{border:1px solid}}
@media(prefers-reduced-motion:no-preference){.toast,.bar{animation:in .2s ease-out}}
@keyframes in{from{opacity:0;transform:translateY(8px)}}
@media print{.toast,.bar{display:none}}`;

const sheetOf = (css: string) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return sheet;
};
const sheets: Record<string, CSSStyleSheet> = {};

const make = <Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  fields: Partial<HTMLElementTagNameMap[Name]>,
  ...children: Node[]
) => {
  const element = Object.assign(document.createElement(name), fields);
  element.append(...children);
  return element;
};

const linkTo = (className: string, url: string, textContent: string, watch?: () => void) =>
  make('a', { className, href: url, textContent, ...(watch && { onclick: watch, onauxclick: watch }) });

/** Only a page of the web: nothing that runs. */
const isPage = (url: string) => /^https?:/.test(new URL(url, location as unknown as string).protocol);

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
  const { text, link, receipt, source, review } = variant;
  const key = variant.style || '';
  const style = feed?.styles?.[key];
  const words = feed?.words || WORDS;
  const host = document.createElement('mk-proof');
  const root = host.attachShadow({ mode: 'open' });
  sheets.base ||= sheetOf(BASE);
  root.adoptedStyleSheets = [sheets.base];
  if (style) root.adoptedStyleSheets.push((sheets['t' + key] ||= sheetOf(style.css)));

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

  const count = () => tell('clicked');
  const body = make(
    'div',
    { className: 'body' },
    make('p', { className: 'mk-text', textContent: text, dir: 'auto' }),
  );
  if (review) {
    const { rating, verified, incentive, relationship, selected } = review;
    // in the order of feed.html
    const beside = [
      rating && `${rating}/5`,
      verified && words.verified,
      incentive,
      relationship,
      selected && words.selected,
    ];
    body.append(
      make('p', { className: 'mk-text', textContent: beside.filter(Boolean).join(' · '), dir: 'auto' }),
    );
  }
  if (link && isPage(link.url)) body.append(linkTo('mk-link', link.url, link.label, count));
  if (receipt) body.append(linkTo('mk-receipt', new URL('/proof/' + receipt, tag.src) + '', words.proof));
  if (source && isPage(source.url))
    body.append(linkTo('mk-receipt', source.url, words.source + ', ' + source.statedOn));
  const card = make(
    'div',
    { className: ['mk-card', channel, ...(style?.position || '').split('-')].join(' ') },
    ...(style?.logo
      ? [make('img', { className: 'mk-logo', src: style.logo, alt: '', width: 40, height: 40 })]
      : []),
    body,
    make('button', {
      className: 'mk-close',
      type: 'button',
      ariaLabel: words.close,
      textContent: '×',
      onclick: dismiss,
    }),
  );
  card.lang = lang;

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
