// All sites of the person at a glance, and the beginning of a new one.
import { useState } from 'preact/hooks';
import type { MetricsPage } from '../../../metrics/reports/page.ts';
import { ask } from '../lib/ask.ts';
import { daysOf } from '../lib/place.ts';
import { format, go, me, type OwnSite, place, signedIn, sites, to, words } from '../lib/state.ts';
import { todayIn } from '../lib/today.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { Spark } from '../parts/chart.tsx';
import { Field, Form } from '../parts/form.tsx';
import { Icon } from '../parts/icons.tsx';
import { Mark } from '../parts/mark.tsx';
import { Problem } from '../parts/problem.tsx';
import { Delta } from '../parts/tile.tsx';

function Card({ site }: { site: OwnSite }) {
  const w = words.value!;
  const mayCount = site.role !== 'privacy';
  const { from, to: last } = daysOf('30d', todayIn(site.timeZone));
  const query = new URLSearchParams({ propertyId: site.key, from, to: last });
  const { data, problem, again } = useAnswer<MetricsPage>(mayCount ? `/v1/metrics/page?${query}` : null);
  return (
    <li class="card">
      <h2>
        <a href={to({ site: site.key, page: mayCount ? 'overview' : 'leads' })}>{site.name}</a>
      </h2>
      {problem && !data && <Problem problem={problem} again={again} />}
      {data && (
        <>
          <p class="figures">
            <span>
              <strong>{format.value.count(data.summary.metrics.uniqueVisitors.value ?? 0)}</strong>{' '}
              {w.metrics.uniqueVisitors}
            </span>
            <span>
              <strong>{format.value.count(data.summary.totals.leads ?? 0)}</strong> {w.metrics.newLeads}
            </span>
          </p>
          <p class="soft">
            {w.ranges['30d']} · <Delta delta={data.summary.metrics.uniqueVisitors.delta} />
          </p>
          <Spark values={data.series.map((step) => step.uniqueVisitors)} />
          <Mark trust={data.trust} />
        </>
      )}
    </li>
  );
}

/** `www.shop.example/x` and `https://shop.example` are the site shop.example. null: no name of a host */
export function hostOf(typed: string): string | null {
  try {
    const { hostname } = new URL(/^https?:\/\//i.test(typed) ? typed : `https://${typed}`);
    return hostname.includes('.') || hostname === 'localhost' ? hostname.replace(/^www\./, '') : null;
  } catch {
    return null;
  }
}

function NewSite({ done }: { done(): void }) {
  const w = words.value!;
  return (
    <section class="card">
      <h2>{w.newSite}</h2>
      <Form
        takesFocus
        send={w.makeSite}
        more={
          <button type="button" class="quiet" onClick={done}>
            {w.cancel}
          </button>
        }
        onSend={async ({ domain = '', name }) => {
          const host = hostOf(domain.trim()) ?? domain.trim();
          const origins = host.includes('.') ? [`https://${host}`, `https://www.${host}`] : [];
          const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
          const body = { key: host, name: name || host, domain: host, origins, settings: { timeZone } };
          const { site } = await ask<{ site: { key: string } }>('/v1/sites', { body });
          await signedIn();
          done();
          go({ ...place.value, site: site.key, page: 'settings', id: null });
        }}
      >
        {(wrong) => (
          <>
            <Field
              name="domain"
              label={w.domain}
              hint={w.domainHint}
              wrong={wrong('domain') ?? wrong('key')}
            />
            <Field name="name" label={w.siteName} optional wrong={wrong('name')} />
          </>
        )}
      </Form>
    </section>
  );
}

export function Sites() {
  const w = words.value!;
  const [isMaking, setMaking] = useState(false);
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{w.pages.sites}</h1>
        {me.value?.isOwner && !isMaking && (
          <button type="button" class="act" onClick={() => setMaking(true)}>
            {w.newSite}
          </button>
        )}
      </div>
      {isMaking && <NewSite done={() => setMaking(false)} />}
      <ul class="cards">
        {sites.value.map((site) => (
          <Card key={site.siteId} site={site} />
        ))}
      </ul>
      {sites.value.length === 0 && (
        <p class="soft">
          <Icon name="sites" /> {w.noSites}
        </p>
      )}
    </>
  );
}
