// The dashboard: begins with who is signed in, then shows the page that the address names.
import { render } from 'preact';
import { lazy } from './lib/lazy.tsx';
import { begin, isEmbedded, link, me, place, signedIn, site, speak, words } from './lib/state.ts';
import { ByLink, SignIn } from './pages/door.tsx';
import { Overview } from './pages/overview.tsx';
import { SharedView } from './pages/shared.tsx';
import { Sites } from './pages/sites.tsx';
import { Shell } from './parts/shell.tsx';
import { Skeleton } from './parts/skeleton.tsx';

const PAGES = {
  notifications: lazy(() => import('./pages/notifications.tsx').then((m) => m.Notifications)),
  templates: lazy(() => import('./pages/notifications.tsx').then((m) => m.Templates)),
  reviews: lazy(() => import('./pages/of-proof.tsx').then((m) => m.Reviews)),
  tests: lazy(() => import('./pages/of-proof.tsx').then((m) => m.Tests)),
  receipts: lazy(() => import('./pages/of-proof.tsx').then((m) => m.Receipts)),
  leads: lazy(() => import('./pages/of-a-site.ts').then((m) => m.Leads)),
  lead: lazy(() => import('./pages/of-a-site.ts').then((m) => m.Lead)),
  sessions: lazy(() => import('./pages/of-a-site.ts').then((m) => m.Sessions)),
  quality: lazy(() => import('./pages/of-a-site.ts').then((m) => m.Quality)),
  privacy: lazy(() => import('./pages/of-a-site.ts').then((m) => m.Privacy)),
  audit: lazy(() => import('./pages/of-a-site.ts').then((m) => m.Audit)),
  machine: lazy(() => import('./pages/of-a-site.ts').then((m) => m.Machine)),
  settings: lazy(() => import('./pages/of-a-site.ts').then((m) => m.Settings)),
  people: lazy(() => import('./pages/of-a-site.ts').then((m) => m.People)),
  keys: lazy(() => import('./pages/of-a-site.ts').then((m) => m.Keys)),
  account: lazy(() => import('./pages/of-a-site.ts').then((m) => m.Account)),
};

function Page() {
  const { page, id } = place.value;
  if (page === 'sites') return <Sites />;
  if (page === 'account') return <PAGES.account />;
  if (!site.value) return <Nowhere />;
  // another site is another page, with nothing of the last one in it
  if (page === 'overview') return <Overview key={site.value.key} />;
  const One = page === 'leads' && id !== null ? PAGES.lead : PAGES[page];
  return <One key={`${site.value.key} ${id}`} />;
}

function Nowhere() {
  const w = words.value!;
  return (
    <>
      <h1 tabIndex={-1}>{w.nowhere}</h1>
      <p>
        <a href="/app/sites">{w.pages.sites}</a>
      </p>
    </>
  );
}

function App() {
  if (!words.value || me.value === undefined) return <Skeleton />;
  if (link.value?.kind === 'share') return <SharedView />;
  if (link.value && link.value.kind !== 'sign-in') return <ByLink />;
  if (me.value === null) return <SignIn />;
  return (
    <Shell>
      <Page />
    </Shell>
  );
}

begin();
await Promise.all([speak(navigator.language.startsWith('fr') ? 'fr' : 'en'), isEmbedded ? null : signedIn()]);
render(<App />, document.getElementById('app')!);
