// How a card looks: its words as text, its looks a constructed sheet. Also where one is looked at before anybody sees it.
export interface Variant {
  key: string;
  text: string;
  style?: string | null;
  link?: { url: string; label: string } | null;
  receipt?: string | null | undefined;
  /** Of its text, which may be in another one than the page. */
  lang?: string | undefined;
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
  /** Their language. */
  lang?: string;
}
export interface Said extends Variant {
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

/** Where the feed has none. */
export const WORDS: Words = {
  close: 'Close',
  proof: 'How we know',
  source: 'Source',
  selected: '',
  verified: '',
};

// The body ends where the lane of the button begins, whatever a template's paddings are; and however much it makes of its words,
// a card that is fixed is no higher than the window, and scrolls.
export const BASE = `:host{--mk-background:#fff;--mk-text:#1f2328;--mk-accent:#0b57a4;--mk-border:#d0d7de;--mk-radius:10px;--mk-width:340px}
@media(prefers-color-scheme:dark){:host{--mk-background:#1b1f24;--mk-text:#f0f3f6;--mk-accent:#8cc4ff;--mk-border:#444c56}}
.mk-card{box-sizing:border-box;position:relative;display:flex;gap:12px;align-items:center;max-width:var(--mk-width);padding-block:12px;padding-inline:16px 8px;background:var(--mk-background);color:var(--mk-text);border:1px solid var(--mk-border);border-radius:var(--mk-radius);font:400 15px/1.4 var(--mk-font,inherit);letter-spacing:normal;text-align:start;overflow-wrap:anywhere}
.toast,.bar{position:fixed;z-index:2147483646;inset-block-end:16px;max-height:80vh;overflow:hidden auto;box-shadow:0 4px 16px #0003}
.toast{inset-inline-start:16px;max-width:min(var(--mk-width),calc(100vw - 32px))}
.right{inset-inline:auto 16px}
.top{inset-block:16px auto}
.bar{inset:auto 0 0;max-width:none;border-radius:0;border-width:1px 0 0;justify-content:center}
.bar.top{inset:0 0 auto;border-width:0 0 1px}
.mk-logo{width:40px;height:40px;flex:none;object-fit:contain}
.body{margin-inline-end:36px}
.mk-text{margin:0}
a{display:inline-block;color:var(--mk-accent);margin-inline-end:12px}
.mk-receipt{font-size:13px;color:inherit}
.mk-close{position:absolute;inset-block-start:8px;inset-inline-end:8px;width:28px;height:28px;padding:0;border:0;border-radius:4px;background:none;color:inherit;font:20px/1 sans-serif;cursor:pointer}
:focus-visible{outline:2px solid currentColor;outline-offset:2px}
@media(forced-colors:active){.mk-close{border:1px solid}}
@media(prefers-reduced-motion:no-preference){.toast,.bar{animation:in .2s ease-out}}
@keyframes in{from{opacity:0;transform:translateY(8px)}}
@media print{.toast,.bar{display:none}}`;

export const sheetOf = (css: string) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return sheet;
};
export const make = <Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  fields: Partial<HTMLElementTagNameMap[Name]>,
  ...children: Node[]
) => {
  const element = Object.assign(document.createElement(name), fields);
  element.append(...children);
  return element;
};

const linkTo = (className: string, url: string, textContent: string, watch?: (() => void) | null) =>
  make('a', { className, href: url, textContent, ...(watch && { onclick: watch, onauxclick: watch }) });

/** Only a page of the web: nothing that runs. */
const isPage = (url: string) => /^https?:/.test(new URL(url, location as unknown as string).protocol);

/**
 * receipt  the address of its page
 */
export function draw(
  channel: string,
  { text, lang, link, receipt, source, review }: Said,
  style: Style | undefined,
  words: Words,
  clicked: (() => void) | null,
  dismissed: (() => void) | null,
): HTMLDivElement {
  const body = make(
    'div',
    { className: 'body' },
    make('p', { className: 'mk-text', textContent: text, dir: 'auto', ...(lang && { lang }) }),
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
  if (link && isPage(link.url)) body.append(linkTo('mk-link', link.url, link.label, clicked));
  if (receipt) body.append(linkTo('mk-receipt', receipt, words.proof));
  if (source && isPage(source.url))
    body.append(linkTo('mk-receipt', source.url, words.source + ', ' + source.statedOn));
  return make(
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
      onclick: dismissed,
    }),
  );
}
