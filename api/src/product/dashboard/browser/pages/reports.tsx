// Reports by mail of this site: which leave when, to whom, and how far each got.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { MailReport } from '../../../mail-reports/schema.ts';
import { addressesIn, atRecipients } from '../lib/addresses.ts';
import { ask } from '../lib/ask.ts';
import { useDeed } from '../lib/deed.ts';
import { format, language, site } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { Choice } from '../parts/choice.tsx';
import { Field, Form } from '../parts/form.tsx';
import { Problem } from '../parts/problem.tsx';
import { reports as en } from '../words/en/reports.ts';
import { reports as fr } from '../words/fr/reports.ts';

const HOURS = Array.from({ length: 24 }, (_, hour) => [String(hour), `${hour}:00`] as const);

export function Reports() {
  const w = language.value === 'fr' ? fr : en;
  const path = `/v1/sites/${encodeURIComponent(site.value!.siteId)}/reports`;
  const { data, problem, again } = useAnswer<{ reports: MailReport[] }>(path);
  const { act, refused } = useDeed(again);
  return (
    <section class="card">
      <h2>{w.title}</h2>
      <p>{w.says}</p>
      {problem && !data && <Problem problem={problem} again={again} />}
      {data?.reports.length === 0 && <p class="soft">{w.none}</p>}
      {data && data.reports.length > 0 && (
        <ul class="lines">
          {data.reports.map((one) => (
            <li key={one.reportId}>
              <Line report={one} w={w}>
                <button type="button" class="bare" onClick={() => act(`${path}/${one.reportId}`)}>
                  {w.end}
                </button>
              </Line>
            </li>
          ))}
        </ul>
      )}
      {refused && <Problem problem={refused} />}
      <NewReport w={w} path={path} made={again} />
    </section>
  );
}

function Line({ report, w, children }: { report: MailReport; w: typeof en; children: ComponentChildren }) {
  const when = report.weekday === null ? w.month : `${w.week}, ${w.weekdays[report.weekday - 1]}`;
  return (
    <>
      {when}, {report.hour}:00 <span class="soft">{report.timezone}</span> {children}
      <ul>
        {report.recipients.map(({ recipient, sentAt, lastError }) => (
          <li key={recipient.recipientId}>
            {recipient.email ?? '?'}{' '}
            <span class="soft">
              {w[recipient.state]}
              {sentAt && `, ${w.sent(format.value.moment(sentAt))}`}
              {lastError && `, ${w.failed(lastError)}`}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function NewReport({ w, path, made }: { w: typeof en; path: string; made(): void }) {
  const [every, setEvery] = useState('week');
  return (
    <Form
      send={w.make}
      onSend={async ({ recipients, weekday, hour, spoken }) => {
        const body = {
          every,
          ...(every === 'week' ? { weekday: Number(weekday) } : {}),
          hour: Number(hour),
          language: spoken,
          recipients: addressesIn(recipients),
        };
        await ask(path, { body }).catch(atRecipients);
        made();
      }}
    >
      {(wrong) => (
        <>
          <div class="beside" onChange={(event) => readEvery(event, setEvery)}>
            <Choice
              name="every"
              label={w.every}
              of={[
                ['week', w.week],
                ['month', w.month],
              ]}
            />
            {every === 'week' && (
              <Choice
                name="weekday"
                label={w.weekday}
                of={w.weekdays.map((day, n) => [String(n + 1), day])}
              />
            )}
            <Choice name="hour" label={`${w.hour} (${w.hours(site.value!.timeZone)})`} of={HOURS} value="8" />
            <Choice
              name="spoken"
              label={w.language}
              value={language.value}
              of={[
                ['en', 'English'],
                ['fr', 'Français'],
              ]}
            />
          </div>
          <Field
            name="recipients"
            label={w.recipients}
            hint={w.recipientsHint}
            maxLength={2000}
            wrong={wrong('recipients')}
          />
        </>
      )}
    </Form>
  );
}

function readEvery({ target }: Event, set: (every: string) => void): void {
  const { name, value } = target as HTMLSelectElement;
  if (name === 'every') set(value);
}
