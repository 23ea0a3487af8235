// Pages that belong to one of the bar: each by its own address.
import type { Page } from '../lib/place.ts';
import { place, to, words } from '../lib/state.ts';

export const SETTINGS = ['settings', 'people', 'keys'] as const;
export const PRIVACY = ['privacy', 'audit'] as const;

export const PageTabs = ({ of }: { of: readonly Page[] }) => (
  <nav class="tabs" aria-label={words.value!.pages[of[0]!]}>
    {of.map((page, n) => (
      <a key={page} href={to({ page })} aria-current={place.value.page === page ? 'page' : undefined}>
        {n === 0 ? words.value!.firstTabs[page as 'settings'] : words.value!.pages[page]}
      </a>
    ))}
  </nav>
);
