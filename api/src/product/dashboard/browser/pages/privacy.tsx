// What was forgotten here: certificates of erasure, the newest first, and one that is looked up by its id.
import { useState } from 'preact/hooks';
import type { ErasureCertificate } from '../../../erasure/certificate-routes.ts';
import { ask, Refusal, wrongAt } from '../lib/ask.ts';
import { format, language, site, words } from '../lib/state.ts';
import { usePages } from '../lib/use-pages.ts';
import { Entries } from '../parts/entries.tsx';
import { Field, Form } from '../parts/form.tsx';
import { More } from '../parts/more.tsx';
import { Problem } from '../parts/problem.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { Table } from '../parts/table.tsx';
import { PageTabs, PRIVACY } from '../parts/tabs.tsx';
import { access as en } from '../words/en/access.ts';
import { access as fr } from '../words/fr/access.ts';

const wordsOf = () => (language.value === 'fr' ? fr : en);

function entryOf(one: ErasureCertificate) {
  const w = wordsOf();
  const { count, moment } = format.value;
  const zone = site.value!.timeZone;
  const isInBackups = Date.parse(one.backupsUntil) > Date.now();
  return {
    key: one.erasureId,
    name: <time dateTime={one.erasedAt}>{moment(one.erasedAt, zone)}</time>,
    pills: [one.cause !== null && w.causes[one.cause]!],
    facts: [
      w.rows(count(one.rows), one.rows),
      isInBackups ? w.inBackups(moment(one.backupsUntil, zone)) : w.outOfBackups,
    ],
    more: (
      <details>
        <summary>{w.details}</summary>
        <dl class="facts">
          <dt>{words.value!.certificate}</dt>
          <dd>
            <code>{one.erasureId}</code>
          </dd>
          <dt>{w.hash}</dt>
          <dd>
            <code>{one.emailHash}</code>
          </dd>
          <dt>{w.chainStays}</dt>
          <dd>{count(one.consentRecords)}</dd>
        </dl>
        <Table
          caption={words.value!.rowsErased}
          rows={Object.entries(one.erased)}
          keyOf={([table]) => table}
          columns={[
            { says: w.ofTable, of: ([table]) => table },
            { says: w.rowsOf, as: 'n', of: ([, n]) => count(n) },
          ]}
        />
      </details>
    ),
  };
}

export function Privacy() {
  const w = wordsOf();
  const [found, setFound] = useState<ErasureCertificate | null>(null);
  const { rows, problem, more, again } = usePages<
    { erasures: ErasureCertificate[]; nextCursor: string | null },
    ErasureCertificate
  >(
    `/v1/admin/erasures?${new URLSearchParams({ propertyId: site.value!.key, limit: '20' })}`,
    ({ erasures }) => erasures,
  );
  return (
    <>
      <h1 tabIndex={-1}>{words.value!.pages.privacy}</h1>
      <PageTabs of={PRIVACY} />
      <p class="soft">{w.certificatesSay}</p>
      <section class="card">
        <Form
          send={w.filter}
          more={
            found && (
              <button type="button" class="quiet" onClick={() => setFound(null)}>
                {w.all}
              </button>
            )
          }
          onSend={async ({ erasureId = '' }) => {
            const path = `/v1/admin/erasures/${encodeURIComponent(erasureId.trim())}`;
            setFound(null);
            const { erasure } = await ask<{ erasure: ErasureCertificate }>(path).catch((error) => {
              throw error instanceof Refusal && error.status === 404
                ? wrongAt('erasureId', w.noSuchCertificate)
                : error;
            });
            setFound(erasure);
          }}
        >
          {(wrong) => (
            <Field
              name="erasureId"
              label={words.value!.certificate}
              hint={w.certificateHint}
              maxLength={60}
              autocomplete="off"
              wrong={wrong('erasureId')}
            />
          )}
        </Form>
      </section>
      {found && (
        <div role="status">
          <Entries none="" of={[entryOf(found)]} />
        </div>
      )}
      {!found && (
        <>
          {problem && <Problem problem={problem} again={again} />}
          {!rows && !problem && <Skeleton />}
          {rows && <Entries none={w.noCertificates} of={rows.map(entryOf)} />}
          <More more={more} says={words.value!.moreRows} />
        </>
      )}
    </>
  );
}
