// A page of a site, in small, with a card on it: drawn by the same code as on the site, in a shadow root of its own.
import { useEffect, useRef } from 'preact/hooks';
import { printTokens } from '../../../notifications/looks/print.ts';
import type { Tokens } from '../../../notifications/looks/tokens.ts';
import { wordsIn } from '../../../proof/card-words.ts';
import { BASE, draw, type Said, sheetOf } from '../../../snippet/proof/draw.ts';

export interface Look {
  tokens: Tokens;
  css: string | null;
}
export interface Shape {
  scheme: 'light' | 'dark';
  isPhone: boolean;
}

/** Nothing of another host is loaded here: a logo is a box. */
const LOGO = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" rx="6" fill="#8a94a0"/><path d="m8 30 9-12 6 7 4-5 6 10z" fill="#fff"/><circle cx="27" cy="13" r="3.5" fill="#fff"/></svg>',
)}`;

/** The scheme and the width are those of the page in small, not of this one; nothing comes in again at each letter. */
const fitted = (css: string, scheme: Shape['scheme']): string =>
  css
    .replace(/@media\s*\(prefers-color-scheme:\s*(light|dark)\)/g, (_all, of) =>
      of === scheme ? '@media all' : '@media not all',
    )
    .replaceAll('100vw', '100cqw');

export function Screen({
  card,
  channel,
  look,
  shape: { scheme, isPhone },
  language,
}: {
  /** null: nothing is shown */
  card: Omit<Said, 'key' | 'receipt'> | null;
  channel: string;
  look: Look;
  shape: Shape;
  language: string;
}) {
  const host = useRef<HTMLDivElement>(null);
  const drawn = JSON.stringify([card, channel, look, scheme, language]);
  useEffect(() => {
    const root = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: 'open' });
    const { tokens, css } = look;
    const style = { css: '', position: tokens.position, logo: tokens.logo && LOGO };
    root.adoptedStyleSheets = [
      BASE,
      printTokens(tokens),
      css ?? '',
      '.mk-card{animation:none!important}',
    ].map((text) => sheetOf(fitted(text, scheme)));
    // without JavaScript a page shows it where a frame stands
    const as = channel === 'page' ? 'inline' : channel;
    root.replaceChildren();
    if (!card) return;
    const one = draw(as, { ...card, key: '', receipt: '#' }, style, wordsIn(language), null, null);
    one.lang = language;
    root.append(one);
  }, [drawn]);
  const isInside = channel === 'inline' || channel === 'page';
  return (
    <div class={`screen ${scheme}${isPhone ? ' phone' : ''}`} inert>
      <div class="faux">
        <i class="head" />
        <i />
        <i />
        <i class="half" />
        <div ref={host} class={isInside ? 'inside' : 'over'} />
        <i />
        <i />
        <i class="half" />
      </div>
    </div>
  );
}
