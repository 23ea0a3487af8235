// A site's own page: the line to paste and whether it is seen, the origins that may send, a test lead.
import { useState } from 'preact/hooks';
import type { Pulse } from '../../../events/pulse.ts';
import { ask, type Refusal } from '../lib/ask.ts';
import { inAttribute } from '../lib/html.ts';
import { lazy } from '../lib/lazy.tsx';
import { writePlace } from '../lib/place.ts';
import { format, isOneOf, language, place, site, to, words } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { Copy } from '../parts/copy.tsx';
import { Field, Form } from '../parts/form.tsx';
import { Problem } from '../parts/problem.tsx';
import { PageTabs, SETTINGS } from '../parts/tabs.tsx';
import { Alerts } from './alerts.tsx';
import { Reports } from './reports.tsx';
import { Shares } from './shares.tsx';

const Imports = lazy(() => import('./imports.tsx').then((m) => m.Imports));

const FROM = {
  en: ['From another tool', 'Bring in days of another tool'],
  fr: ['D’un autre outil', 'Apporter les jours d’un autre outil'],
} as const;
function FromAnother() {
  const [title, link] = FROM[language.value];
  const address = writePlace({ ...place.value, page: 'settings', id: 'imports' });
  return (
    <section class="card">
      <h2>{title}</h2>
      <p>
        <a href={address}>{link}</a>{' '}
        <span class="soft">Plausible, Umami, GA4, Matomo, GoatCounter, Fathom</span>
      </p>
    </section>
  );
}

interface Bundles {
  full: { path: string; integrity: string };
}

/** The line that a page needs, and the one for visitors without JavaScript. */
export function snippetOf(origin: string, key: string): string {
  const pixel = `${origin}/v1/pixel.gif?propertyId=${encodeURIComponent(key)}`;
  return `<script async src="${origin}/s.js" data-site="${inAttribute(key)}"></script>
<noscript><img src="${pixel}" referrerpolicy="no-referrer-when-downgrade" alt=""></noscript>`;
}

function Seen() {
  const w = words.value!;
  const own = site.value!;
  const path = `/v1/sites/${encodeURIComponent(own.siteId)}/pulse`;
  const { data, problem, again } = useAnswer<Pulse>(path, 3000);
  const [refused, setRefused] = useState<Refusal | null>(null);
  if (problem && !data) return <Problem problem={problem} again={again} />;
  if (!data) return null;
  const allow = (origin: string, origins: string[]) =>
    ask(`/v1/sites/${encodeURIComponent(own.siteId)}`, {
      method: 'PATCH',
      body: { origins: [...origins, origin] },
    }).then(() => {
      setRefused(null);
      again();
    }, setRefused);
  const newest = data.lastEvents[0];
  return (
    <div class="seen" role="status">
      {newest ? (
        <p class="notice good">
          <strong>{w.seen}</strong> {newest.path}, {newest.browser ?? w.unknown},{' '}
          {format.value.ago(newest.at, Date.now())}
        </p>
      ) : (
        <p class="notice">{data.botsOnly ? w.botsOnly : w.nothingSeen}</p>
      )}
      {refused && <Problem problem={refused} />}
      {data.refusals.map(({ origin, n }) => (
        <p class="notice warn" key={origin}>
          {w.refusedFrom(origin, format.value.count(n))}{' '}
          {isOneOf('owner', 'admin') && /^https?:/.test(origin) && (
            <button type="button" class="quiet" onClick={() => allow(origin, data.origins)}>
              {w.allow}
            </button>
          )}
        </p>
      ))}
      <p class="soft">{data.origins.length > 0 ? w.mayWrite(data.origins.join(', ')) : w.anyMayWrite}</p>
    </div>
  );
}

/** A real capture through the public door, so that what is tried is what visitors do. */
function TestLead() {
  const w = words.value!;
  const [address, setAddress] = useState<string | null>(null);
  return (
    <section class="card">
      <h2>{w.testLead}</h2>
      <p>{w.testLeadSays}</p>
      {address ? (
        <p class="notice good" role="status">
          {w.testLeadMade(address)} <a href={to({ page: 'leads' })}>{w.toLeads}</a>
        </p>
      ) : (
        <Form
          send={w.send}
          onSend={async ({ email = '' }) => {
            await ask('/v1/leads/capture', {
              body: { email, propertyId: site.value!.key, formName: 'test', path: '/test' },
            });
            setAddress(email);
          }}
        >
          {(wrong) => <Field name="email" label={w.yourAddress} type="email" wrong={wrong('email')} />}
        </Form>
      )}
    </section>
  );
}

export const Settings = () => (place.value.id === 'imports' ? <Imports /> : <OfSite />);

function OfSite() {
  const w = words.value!;
  const own = site.value!;
  const { data: bundles } = useAnswer<Bundles>('/s.json');
  const line = snippetOf(location.origin, own.key);
  return (
    <>
      <h1 tabIndex={-1}>{w.pages.settings}</h1>
      <PageTabs of={SETTINGS} />
      <section class="card">
        <h2>{w.snippet}</h2>
        <p>{w.snippetSays}</p>
        <Copy text={line} label={w.snippet} />
        {bundles && (
          <details>
            <summary>{w.fixed}</summary>
            <p>{w.fixedSays}</p>
            <Copy
              label={w.fixed}
              text={line
                .replace(`${location.origin}/s.js`, `${location.origin}${bundles.full.path}`)
                .replace(
                  '></script>',
                  ` integrity="${bundles.full.integrity}" crossorigin="anonymous"></script>`,
                )}
            />
          </details>
        )}
        <Seen />
      </section>
      <TestLead />
      <Shares />
      <Reports />
      <Alerts />
      <FromAnother />
    </>
  );
}
