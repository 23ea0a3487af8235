// What stands around every page: where one can go, whose numbers these are, and how the machine is.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { ask } from '../lib/ask.ts';
import { INNER, PAGES } from '../lib/place.ts';
import { format, go, isOneOf, me, place, site, sites, to, words } from '../lib/state.ts';
import { forgetAnswers, useAnswer } from '../lib/use-answer.ts';
import { Icon } from './icons.tsx';
import { Proof } from './proof.tsx';

/** Which pages a role opens; the API decides, this only hides what would be refused. */
const MAY: Record<(typeof PAGES)[number], readonly Parameters<typeof isOneOf>[number][]> = {
  overview: ['owner', 'admin', 'analyst', 'viewer'],
  sessions: ['owner', 'admin', 'analyst', 'viewer'],
  notifications: ['owner', 'admin'],
  leads: ['owner', 'admin', 'analyst', 'privacy'],
  reviews: ['owner', 'admin', 'privacy'],
  tests: ['owner', 'admin'],
  receipts: ['owner', 'admin', 'privacy'],
  quality: ['owner', 'admin', 'analyst', 'viewer'],
  privacy: ['owner', 'admin', 'privacy'],
  machine: ['owner', 'admin'],
  settings: ['owner', 'admin'],
};

interface Machine {
  alarms: { alarms: { id: string; severity: string; message: string }[] };
  backups: { lastVerified: { at: string } | null };
}

function MachineDot() {
  const w = words.value!;
  const { data } = useAnswer<Machine>(isOneOf('owner', 'admin') ? '/v1/admin/status' : null, 60_000);
  if (!data) return null;
  const { alarms } = data.alarms;
  const proven = data.backups.lastVerified;
  return (
    <a class={`machine ${alarms.length > 0 ? 'wrong' : 'good'}`} href={to({ page: 'machine' })}>
      <span aria-hidden="true">{alarms.length > 0 ? '▲' : '●'}</span>{' '}
      {alarms.length > 0
        ? w.alarms(alarms.length)
        : proven
          ? w.provenAt(format.value.ago(proven.at, Date.now()))
          : w.notProven}
    </a>
  );
}

function SiteChoice() {
  const w = words.value!;
  if (sites.value.length < 2) return <strong>{site.value?.name}</strong>;
  return (
    <select
      aria-label={w.site}
      value={site.value?.key}
      onChange={(event) => go({ ...place.value, site: event.currentTarget.value, id: null })}
    >
      {sites.value.map(({ key, name }) => (
        <option key={key} value={key}>
          {name}
        </option>
      ))}
    </select>
  );
}

export async function signOut(): Promise<void> {
  await ask('/v1/auth/logout', { method: 'POST' }).catch(() => {});
  forgetAnswers();
  me.value = null;
}

export function Shell({ children }: { children: ComponentChildren }) {
  const w = words.value!;
  const { page: opened } = place.value;
  const here = opened in INNER ? INNER[opened as keyof typeof INNER] : opened;
  const nav = useRef<HTMLElement>(null);
  // on a narrow screen the bar is one line to be moved along: where one is stands in sight
  useEffect(() => {
    const link = nav.current?.querySelector<HTMLElement>('[aria-current]');
    if (link) nav.current!.scrollLeft = link.offsetLeft - (nav.current!.clientWidth - link.offsetWidth) / 2;
  }, [here]);
  return (
    <>
      <a class="skip" href="#main">
        {w.skip}
      </a>
      <header class="top">
        <a
          class="home"
          href="/app/sites"
          aria-label={w.pages.sites}
          aria-current={here === 'sites' ? 'page' : undefined}
        >
          <Icon name="sites" />
        </a>
        {site.value && <SiteChoice />}
        <span class="room" />
        {site.value && <MachineDot />}
        <a
          href="/app/account"
          aria-label={w.pages.account}
          aria-current={here === 'account' ? 'page' : undefined}
        >
          <Icon name="account" />
        </a>
        {site.value && (
          <nav ref={nav} aria-label={w.pagesOfSite}>
            {PAGES.filter((page) => isOneOf(...MAY[page])).map((page) => (
              <a key={page} href={to({ page })} aria-current={here === page ? 'page' : undefined}>
                <Icon name={page} />
                <span>{w.pages[page]}</span>
              </a>
            ))}
          </nav>
        )}
      </header>
      <main id="main">{children}</main>
      <Proof />
    </>
  );
}
