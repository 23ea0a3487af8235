// Who left an address: a list to search, a page at a time. Addresses are sent in a body, never in a URL.
import { useEffect, useState } from 'preact/hooks';
import type { LeadRow } from '../../../leads/shapes.ts';
import { ask, Refusal, save } from '../lib/ask.ts';
import { format, isOneOf, site, to, words } from '../lib/state.ts';
import { Icon } from '../parts/icons.tsx';
import { Problem } from '../parts/problem.tsx';
import { Skeleton } from '../parts/skeleton.tsx';

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
    <table class="wide">
      <caption class="unseen">{w.pages.leads}</caption>
      <thead>
        <tr>
          <th scope="col">{w.email}</th>
          <th scope="col">{w.consentOf}</th>
          <th scope="col" class="more">
            {w.source}
          </th>
          <th scope="col" class="more">
            {w.kindOfAddress}
          </th>
          <th scope="col" class="n">
            {w.firstSeen}
          </th>
        </tr>
      </thead>
      <tbody>
        {leads.map((lead) => (
          <tr key={lead.leadId}>
            <th scope="row">
              <a href={to({ id: lead.leadId })}>{lead.email}</a>
            </th>
            <td>
              <Status status={lead.consentStatus} />
            </td>
            <td class="more">
              {(w.sources as Record<string, string>)[lead.firstSource] ?? lead.firstSource}
            </td>
            <td class="more">{w.domains[lead.domainClass]}</td>
            <td class="n">
              <time dateTime={lead.firstCapturedAt}>
                {format.value.moment(lead.firstCapturedAt, site.value!.timeZone)}
              </time>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
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
      {next && (
        <p class="actions">
          <button type="button" class="quiet" onClick={() => load(next)}>
            {w.moreRows}
          </button>
        </p>
      )}
    </>
  );
}
