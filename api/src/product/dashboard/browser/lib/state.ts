// What the page knows: who is signed in, where they are, in which words. Everything else comes from the API by its address.
import { computed, effect, signal } from '@preact/signals';
import type { Messages } from '../words/en.ts';
import { ask, on } from './ask.ts';
import { toHeading } from './focus.ts';
import { type Format, formatOf } from './format.ts';
import { type Look, NO_FILTER, type Place, readPlace, writePlace } from './place.ts';

export interface User {
  userId: string;
  email: string | null;
  fullName: string | null;
  isOwner: boolean;
  secondFactor: boolean;
  oidc: boolean;
  secondFactorDue: string | null;
  language: 'en' | 'fr';
  timeZone: string;
}
export type Role = 'owner' | 'admin' | 'analyst' | 'viewer' | 'privacy';
export interface OwnSite {
  siteId: string;
  key: string;
  name: string;
  timeZone: string;
  role: Role;
}

/** In a frame on somebody's page: a shared view and nothing else, whatever the address says. */
export const isEmbedded = document.documentElement.dataset.embedded !== undefined;
/** undefined: not known yet; null: nobody. */
export const me = signal<User | null | undefined>(undefined);
export const sites = signal<OwnSite[]>([]);
/** A link of a mail, of the machine or of a shared view that is not used up: its kind and secret. */
export const link = signal<{ kind: string; token: string } | null>(null);
export const place = signal<Place>(readPlace(new URL(location.href)));
export const words = signal<Messages | null>(null);
export const language = signal<'en' | 'fr'>('en');
export const format = computed<Format>(() => formatOf(language.value === 'fr' ? 'fr-CA' : 'en-CA'));

export const site = computed<OwnSite | null>(
  () => sites.value.find(({ key, siteId }) => [key, siteId].includes(place.value.site ?? '')) ?? null,
);
export const isOneOf = (...roles: Role[]): boolean => roles.includes(site.value?.role ?? 'viewer');

/** Secrets stand in fragments, which reach no server, and leave the address at once. */
export function takeLink(): void {
  const [, kind, token] =
    /^#\/(setup|join|reset|email|share)\/([\w-]{43})$/.exec(location.hash) ??
    /^#\/(sign-in)\/(\w{1,40})$/.exec(location.hash) ??
    [];
  if (isEmbedded) {
    // it stays in the address: browsers that restore a page load its frames from there
    link.value = { kind: 'share', token: kind === 'share' ? token! : '' };
    return;
  }
  if (!kind || !token) return;
  link.value = { kind, token };
  history.replaceState(null, '', '/app/');
}

export function go(next: Place, how: { replace?: boolean } = {}): void {
  const address = writePlace(next);
  if (isEmbedded) {
    // the address names the view, and going back is the way of the page around
  } else if (how.replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  const moved = next.page !== place.peek().page || next.id !== place.peek().id;
  place.value = next;
  if (moved) {
    scrollTo(0, 0);
    toHeading();
  }
}
export const look = (change: Partial<Look>): void =>
  go({ ...place.peek(), look: { ...place.peek().look, ...change } });
export function to(change: Partial<Place>): string {
  const { page, look: now } = place.value;
  const kept = change.page === undefined || change.page === page ? now : { ...now, ...NO_FILTER };
  return writePlace({ ...place.value, id: null, look: kept, ...change });
}

export async function speak(chosen: 'en' | 'fr'): Promise<void> {
  words.value = chosen === 'fr' ? (await import('../words/fr.ts')).fr : (await import('../words/en.ts')).en;
  language.value = chosen;
  document.documentElement.lang = chosen;
}

/** Who is signed in and their sites; nobody is no fault. */
export async function signedIn(): Promise<void> {
  try {
    const [{ user }, own] = await Promise.all([
      ask<{ user: User }>('/v1/users/me'),
      ask<{ sites: OwnSite[] }>('/v1/users/me/sites'),
    ]);
    sites.value = own.sites;
    me.value = user;
    if (user.language !== language.peek()) await speak(user.language);
  } catch {
    me.value = null;
  }
}

export function begin(): void {
  on.signedOut = () => {
    me.value = null;
  };
  effect(() => {
    const name = words.value?.pages[place.value.page];
    if (name) document.title = [name, site.value?.name].filter(Boolean).join(' · ');
  });
  takeLink();
  if (isEmbedded) {
    me.value = null;
    return;
  }
  addEventListener('hashchange', takeLink);
  addEventListener('popstate', () => {
    place.value = readPlace(new URL(location.href));
  });
  document.addEventListener('click', (event) => {
    const anchor = (event.target as Element).closest?.('a[href^="/app"]');
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!anchor || !plain || event.defaultPrevented || anchor.hasAttribute('download')) return;
    event.preventDefault();
    go(readPlace(new URL((anchor as HTMLAnchorElement).href)));
  });
}
