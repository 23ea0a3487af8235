// Reviews that were written elsewhere: a file is looked at first, and then brought in with its source and dates.
import { useState } from 'preact/hooks';
import type { z } from 'zod';
import type { reviewImportReport } from '../../../reviews/import.ts';
import { ask, Refusal } from '../lib/ask.ts';
import { format, isOneOf, language, site, to, words } from '../lib/state.ts';
import { Choice } from '../parts/choice.tsx';
import { Field, Form } from '../parts/form.tsx';
import { Problem } from '../parts/problem.tsx';
import { reviews as en } from '../words/en/reviews.ts';
import { reviews as fr } from '../words/fr/reviews.ts';

type Report = z.output<typeof reviewImportReport>;
type Words = typeof en;
const DATES = ['DD/MM/YYYY', 'MM/DD/YYYY', 'DD.MM.YYYY', 'YYYY/MM/DD'];
const ROWS_SHOWN = 20;

interface Asked {
  source: string;
  csv: string;
  dateFormat?: string;
}

export function ReviewImport() {
  const w: Words = language.value === 'fr' ? fr : en;
  const [asked, setAsked] = useState<Asked | null>(null);
  const [report, setReport] = useState<Report | null>(null);
  const [refused, setRefused] = useState<Refusal | null>(null);
  const path = `/v1/sites/${encodeURIComponent(site.value!.siteId)}/reviews/import`;
  const bring = () =>
    ask<Report>(path, { body: asked }).then(
      (done) => {
        setRefused(null);
        setReport(done);
      },
      (error) => error instanceof Refusal && setRefused(error),
    );
  return (
    <>
      <p>
        <a href={to({ page: 'reviews' })}>← {w.toReviews}</a>
      </p>
      <h1 tabIndex={-1}>{w.bring}</h1>
      <p class="soft">{isOneOf('owner', 'admin') ? w.bringSays : w.onlyRead}</p>
      {isOneOf('owner', 'admin') && (
        <section class="card">
          <Form
            send={w.look}
            onSend={async ({ source = '', dateFormat, file }) => {
              const csv = await (file as unknown as File).text();
              const question = { source, csv, ...(dateFormat && { dateFormat }) };
              setReport(null);
              setReport(await ask<Report>(path, { body: { ...question, dryRun: true } }));
              setAsked(question);
            }}
          >
            {(wrong) => (
              <>
                <div class="beside">
                  <Field
                    name="source"
                    label={w.bringSource}
                    hint={w.bringSourceHint}
                    maxLength={64}
                    wrong={wrong('source')}
                  />
                  <Choice
                    name="dateFormat"
                    label={w.bringDates}
                    of={[['', w.bringIso], ...DATES.map((one) => [one, one] as const)]}
                    wrong={wrong('dateFormat')}
                  />
                </div>
                <p class="field">
                  <label>
                    {w.file} <input type="file" name="file" accept=".csv,.tsv,.txt,text/csv" required />
                  </label>
                  {wrong('csv') && <span class="wrong">{wrong('csv')}</span>}
                </p>
              </>
            )}
          </Form>
        </section>
      )}
      {refused && <Problem problem={refused} />}
      {report && <Outcome report={report} w={w} bring={bring} />}
    </>
  );
}

function Outcome({ report, w, bring }: { report: Report; w: Words; bring(): void }) {
  const { count } = format.value;
  const told = report.rows.filter(({ message }) => message !== undefined);
  const { created = 0 } = report.counts;
  return (
    <section class="card" role="status">
      <p class="figures">
        {Object.entries(report.counts).map(([outcome, n]) => (
          <span key={outcome}>
            <strong>{count(n)}</strong> {w.outcomes[outcome]}
          </span>
        ))}
      </p>
      {report.ignoredColumns.length > 0 && <p class="soft">{w.ignored(report.ignoredColumns.join(', '))}</p>}
      {told.length > 0 && (
        <ul class="lines">
          {told.slice(0, ROWS_SHOWN).map(({ row, outcome, message }) => (
            <li key={row}>
              {w.row} {row}: <span class={outcome === 'refused' ? 'wrong' : 'soft'}>{message}</span>
            </li>
          ))}
          {told.length > ROWS_SHOWN && <li class="soft">{w.moreLines(count(told.length - ROWS_SHOWN))}</li>}
        </ul>
      )}
      {report.dryRun ? (
        <p class="actions">
          <button type="button" class="act" onClick={bring} disabled={created === 0}>
            {w.bringIn}
          </button>{' '}
          <span class="soft">{w.nothingYet}</span>
        </p>
      ) : (
        <p>
          {w.done} <a href={`${to({ page: 'reviews' })}`}>{words.value!.pages.reviews}</a>
        </p>
      )}
    </section>
  );
}
