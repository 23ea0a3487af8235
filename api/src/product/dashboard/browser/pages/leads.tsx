// Who left an address: a list to search, a page at a time. Addresses are sent in a body, never in a URL.
import { useEffect, useState } from 'preact/hooks';
import type { LeadRow } from '../../../leads/shapes.ts';
import { ask, Refusal, save } from '../lib/ask.ts';
import { format, isOneOf, site, to, words } from '../lib/state.ts';
import { Icon } from '../parts/icons.tsx';
import { More } from '../parts/more.tsx';
import { Problem } from '../parts/problem.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { Table } from '../parts/table.tsx';

interface Listed {
  leads: LeadRow[];
  nextCursor: string | null;
}

export const Status = ({ status }: { status: LeadRow['consentStatus'] }) => (
  <span class={`status ${status}`}>{words.value!.consent[status]}</span>
);

function Rows({ leads }: { leads: readonly LeadRow[] }) {
  const w = words.value!;
  return (
    <Table
      caption={w.pages.leads}
      rows={leads}
      keyOf={({ leadId }) => leadId}
      columns={[
        { says: w.email, of: ({ leadId, email }) => <a href={to({ id: leadId })}>{email}</a> },
        { says: w.consentOf, of: ({ consentStatus }) => <Status status={consentStatus} /> },
        {
          says: w.source,
          as: 'more',
          of: ({ firstSource }) => (w.sources as Record<string, string>)[firstSource] ?? firstSource,
        },
        { says: w.kindOfAddress, as: 'more', of: ({ domainClass }) => w.domains[domainClass] },
        {
          says: w.firstSeen,
          as: 'n',
          of: ({ firstCapturedAt }) => (
            <time dateTime={firstCapturedAt}>
              {format.value.moment(firstCapturedAt, site.value!.timeZone)}
            </time>
          ),
        },
      ]}
    />
  );
}

export function Leads() {
  const w = words.value!;
  const own = site.value!;
  // an analyst sees addresses masked, and searches none
  const mayPeople = isOneOf('owner', 'admin', 'privacy');
  const exportPath = `/v1/leads/export.csv?${new URLSearchParams({ propertyId: own.key })}`;
  const [q, setQ] = useState('');
  const [leads, setLeads] = useState<LeadRow[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [problem, setProblem] = useState<Refusal | null>(null);
  const load = async (cursor: string | null) => {
    const body = { propertyId: own.key, limit: 50, ...(q ? { q } : {}), ...(cursor ? { cursor } : {}) };
    try {
      const page = await ask<Listed>('/v1/leads/search', { body });
      setLeads((before) => (cursor ? [...(before ?? []), ...page.leads] : page.leads));
      setNext(page.nextCursor);
      setProblem(null);
    } catch (error) {
      failed(error);
    }
  };
  const failed = (error: unknown) => {
    if (error instanceof Refusal) setProblem(error);
  };
  // asked again when the question changes, a moment after the last letter
  useEffect(() => {
    const timer = setTimeout(() => load(null), q ? 250 : 0);
    return () => clearTimeout(timer);
  }, [q, own.key]);
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{w.pages.leads}</h1>
        <span class="room" />
        {mayPeople && (
          <button type="button" class="quiet" onClick={() => save(exportPath, 'leads.csv').catch(failed)}>
            <Icon name="download" /> CSV
          </button>
        )}
      </div>
      {!mayPeople && <p class="soft">{w.masked}</p>}
      {mayPeople && (
        <label class="search">
          <span class="unseen">{w.searchLeads}</span>
          <input
            type="search"
            placeholder={w.searchLeads}
            value={q}
            onInput={(event) => setQ(event.currentTarget.value.trim())}
          />
        </label>
      )}
      {problem && <Problem problem={problem} again={() => load(null)} />}
      {leads && leads.length > 0 && <Rows leads={leads} />}
      {leads && leads.length === 0 && <p class="notice">{q ? w.noMatch : w.noLeads}</p>}
      {!leads && !problem && <Skeleton />}
      <More more={next === null ? null : () => load(next)} says={w.moreRows} />
    </>
  );
}
