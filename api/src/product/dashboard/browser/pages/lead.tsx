// One lead: where it came from, what it agreed to and how that is proven, what it did; and how it is forgotten.
import { useState } from 'preact/hooks';
import type { z } from 'zod';
import type { evidenceShape } from '../../../leads/evidence.ts';
import type { LeadRow, Timeline } from '../../../leads/shapes.ts';
import { ask } from '../lib/ask.ts';
import { toHeading } from '../lib/focus.ts';
import { format, isOneOf, place, site, to, words } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { Confirm } from '../parts/confirm.tsx';
import { Problem } from '../parts/problem.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { Status } from './leads.tsx';

type Evidence = z.output<typeof evidenceShape>;
interface Whole extends Timeline {
  lead: LeadRow;
}
interface Certificate {
  erasureId: string;
  erasedAt: string;
  backupsUntil: string;
  erased: Record<string, number>;
}

const moment = (instant: string) => format.value.moment(instant, site.value!.timeZone);

function Proof({ leadId }: { leadId: string }) {
  const w = words.value!;
  const { data, problem, again } = useAnswer<Evidence>(`/v1/leads/${leadId}/consent`);
  if (problem) return <Problem problem={problem} again={again} />;
  if (!data) return <Skeleton low />;
  return (
    <section class="card">
      <h2>{w.evidence}</h2>
      <p class={data.chain.valid ? 'good' : 'wrong'}>
        {data.chain.valid ? w.chainWhole(format.value.count(data.chain.length)) : w.chainBroken}
      </p>
      <ol class="timeline">
        {data.records.map((record) => (
          <li key={record.seq}>
            <time dateTime={record.occurredAt}>{moment(record.occurredAt)}</time>
            <strong>{w.actions[record.action]}</strong> · {w.bases[record.basis]}
            {record.words && <blockquote>{record.words}</blockquote>}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** What it did, newest last, of all kinds in one line of time. */
function happenings(
  { sessions, events, submissions, conversions }: Whole,
  w: NonNullable<typeof words.value>,
) {
  const all = [
    ...sessions.map((one) => ({
      at: one.startedAt,
      what: w.began((w.sources as Record<string, string>)[one.source] ?? one.source, one.landingPath),
    })),
    ...events.map((one) => ({
      at: one.occurredAt,
      what: `${one.eventType === 'page_view' ? w.viewed : one.eventType} ${one.path}`,
    })),
    ...submissions.map((one) => ({ at: one.submittedAt, what: w.sent(one.formName) })),
    ...conversions.map((one) => ({ at: one.occurredAt, what: w.conversions[one.kind] })),
  ];
  return all.sort((a, b) => (a.at < b.at ? -1 : 1));
}

function Forget({ lead, done }: { lead: LeadRow; done(certificate: Certificate): void }) {
  const w = words.value!;
  return (
    <Confirm
      label={w.forget}
      says={w.forgetSays}
      typed={{ text: lead.email, ask: w.typeAddress(lead.email), not: w.notSame }}
      act={async () => {
        done(
          await ask<Certificate>('/v1/leads/delete', {
            body: { email: lead.email, propertyId: site.value!.key },
          }),
        );
        toHeading();
      }}
    />
  );
}

function Forgotten({ certificate }: { certificate: Certificate }) {
  const w = words.value!;
  return (
    <section class="card" role="status">
      <h2>{w.forgotten}</h2>
      <dl>
        <dt>{w.certificate}</dt>
        <dd>
          <code>{certificate.erasureId}</code>
        </dd>
        <dt>{w.when}</dt>
        <dd>{moment(certificate.erasedAt)}</dd>
        <dt>{w.inBackupsUntil}</dt>
        <dd>{moment(certificate.backupsUntil)}</dd>
        <dt>{w.rowsErased}</dt>
        <dd>
          {Object.entries(certificate.erased)
            .filter(([, n]) => n > 0)
            .map(([table, n]) => `${table} ${format.value.count(n)}`)
            .join(', ')}
        </dd>
      </dl>
      <p>
        <a href={to({ page: 'leads' })}>{w.toLeads}</a>
      </p>
    </section>
  );
}

export function Lead() {
  const w = words.value!;
  const leadId = place.value.id!;
  const [certificate, setCertificate] = useState<Certificate | null>(null);
  const { data, problem, again } = useAnswer<Whole>(
    certificate ? null : `/v1/leads/${encodeURIComponent(leadId)}`,
  );
  if (certificate)
    return (
      <>
        <h1 tabIndex={-1}>{w.pages.leads}</h1>
        <Forgotten certificate={certificate} />
      </>
    );
  if (problem)
    return (
      <>
        <h1 tabIndex={-1}>{w.pages.leads}</h1>
        <Problem problem={problem} again={again} />
      </>
    );
  if (!data) return <Skeleton />;
  const { lead } = data;
  const mayPeople = isOneOf('owner', 'admin', 'privacy');
  return (
    <>
      <p>
        <a href={to({ page: 'leads' })}>← {w.toLeads}</a>
      </p>
      <div class="head">
        <h1 tabIndex={-1}>{lead.email}</h1>
        <Status status={lead.consentStatus} />
        <span class="room" />
        {mayPeople && <Forget lead={lead} done={setCertificate} />}
      </div>
      <dl class="facts">
        <dt>{w.firstSeen}</dt>
        <dd>{moment(lead.firstCapturedAt)}</dd>
        <dt>{w.source}</dt>
        <dd>{(w.sources as Record<string, string>)[lead.firstSource] ?? lead.firstSource}</dd>
        <dt>{w.firstPage}</dt>
        <dd>{lead.firstPath ?? w.unknown}</dd>
        <dt>{w.kindOfAddress}</dt>
        <dd>{w.domains[lead.domainClass]}</dd>
      </dl>
      <div class="two">
        {mayPeople && <Proof leadId={leadId} />}
        <section class="card">
          <h2>{w.timeline}</h2>
          <ol class="timeline">
            {happenings(data, w).map(({ at, what }, n) => (
              <li key={`${at} ${n}`}>
                <time dateTime={at}>{moment(at)}</time>
                {what}
              </li>
            ))}
          </ol>
          {data.cut.length > 0 && <p class="soft">{w.cut}</p>}
        </section>
      </div>
    </>
  );
}
