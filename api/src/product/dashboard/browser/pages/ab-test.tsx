// One A/B test: before it starts what it can learn here, then what it shows, in words first and in numbers behind them.
import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import type { AbTest, Results } from '../../../ab-tests/schema.ts';
import type { Notification } from '../../../notifications/schema.ts';
import { ask, Refusal } from '../lib/ask.ts';
import { toHeading } from '../lib/focus.ts';
import { format, language, place, site, to } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { verdictOf } from '../lib/verdict.ts';
import type { TemplateRow } from '../notifications/templates.tsx';
import { Choice } from '../parts/choice.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Evidence } from '../parts/evidence.tsx';
import { Form } from '../parts/form.tsx';
import { Problem } from '../parts/problem.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { Table } from '../parts/table.tsx';
import { Arms, Compared, Guards } from '../parts/test-numbers.tsx';
import { tests as en } from '../words/en/tests.ts';
import { tests as fr } from '../words/fr/tests.ts';
import { goalSays } from './tests.tsx';

type Words = typeof en;
interface Shown {
  notification: Notification & { showing: boolean };
}

export function OneTest() {
  const w: Words = language.value === 'fr' ? fr : en;
  const testId = place.value.id!;
  const base = `/v1/sites/${encodeURIComponent(site.value!.siteId)}`;
  const path = `${base}/ab-tests/${encodeURIComponent(testId)}`;
  const { data, problem, again } = useAnswer<Results>(`${path}/results`, 60_000);
  const of = data?.test.notificationId;
  const { data: shown, again: lookAgain } = useAnswer<Shown>(of ? `${base}/notifications/${of}` : null);
  const name = shown?.notification.name;
  const changed = () => {
    again();
    lookAgain();
  };
  return (
    <>
      <p>
        <a href={to({ page: 'tests' })}>← {w.all}</a>
      </p>
      <div class="head">
        <h1 tabIndex={-1}>{name ?? w.all}</h1>
        {data && <span class="status">{w.states[data.test.status]}</span>}
        <span class="room" />
        {data?.test.status === 'running' && <While test={data.test} path={path} w={w} changed={changed} />}
      </div>
      {problem && <Problem problem={problem} again={again} />}
      {!data && !problem && <Skeleton />}
      {data && <p>{goalSays(data.test.goal, w)}.</p>}
      {data?.test.status === 'draft' && <Draft results={data} path={path} w={w} changed={changed} />}
      {data && data.test.status !== 'draft' && (
        <>
          <Verdict results={data} w={w} />
          {data.test.status === 'running' && shown && shown.notification.status !== 'running' && (
            <p class="notice warn">{w.notRunning}</p>
          )}
          <Evidence results={data} w={w} />
          <Arms results={data} w={w} />
          <Compared results={data} w={w} />
          <Guards results={data} w={w} />
        </>
      )}
      {data && <SetUp test={data.test} own={shown?.notification.texts} w={w} />}
    </>
  );
}

function Verdict({ results, w }: { results: Results; w: Words }) {
  const { level, says, next } = verdictOf(results, w, format.value);
  return (
    <div class={`notice verdict-says ${level}`} role="status">
      <p>
        <strong>{says}</strong>
      </p>
      {next && <p>{next}</p>}
    </div>
  );
}

interface ActProps {
  path: string;
  w: Words;
  changed(): void;
}

function Draft({ results, path, w, changed }: ActProps & { results: Results }) {
  const [refused, setRefused] = useState<Refusal | null>(null);
  const { count, share } = format.value;
  const { needs, test } = results;
  const act = (what: 'start' | 'stop') =>
    ask(`${path}/${what}`, { method: 'POST' }).then(
      () => {
        setRefused(null);
        changed();
        toHeading();
      },
      (error) => error instanceof Refusal && setRefused(error),
    );
  const within = needs.learns.find(({ days }) => days !== null && days <= test.maxDays);
  const hasPace = needs.learns.some(({ days }) => days !== null);
  return (
    <section class="card">
      <h2>{w.before}</h2>
      <p class={`notice ${within ? 'good' : 'warn'}`}>
        {within
          ? w.canLearn(share(within.lift), test.maxDays)
          : hasPace
            ? w.cannotLearn(test.maxDays)
            : w.noPace}
      </p>
      <p>{w.beforeSays}</p>
      <Table
        isOfNumbers
        caption={w.before}
        rows={needs.learns}
        keyOf={({ lift }) => String(lift)}
        columns={[
          { says: w.effect, of: ({ lift }) => `+${share(lift)}` },
          {
            says: w.people,
            as: 'n',
            of: ({ converters }) => (converters === null ? w.moreThanAny : count(converters)),
          },
          {
            says: w.time,
            as: 'n',
            of: ({ days }) => (days === null ? w.nobodyKnows : w.days(days, count(days))),
          },
        ]}
      />
      {refused && <Problem problem={refused} />}
      <p class="actions">
        <button type="button" class="act" onClick={() => act('start')}>
          {w.start}
        </button>
        <button type="button" class="quiet" onClick={() => act('stop')}>
          {w.discard}
        </button>
        <span class="soft">{w.startSays}</span>
      </p>
    </section>
  );
}

/** What can be done with one that runs; neither is taken back, so both ask first. */
function While({ test, path, w, changed }: ActProps & { test: AbTest }) {
  const [open, setOpen] = useState<'stop' | 'choose' | null>(null);
  const close = () => setOpen(null);
  const done = () => {
    close();
    changed();
    // the button that asked is soon gone
    toHeading();
  };
  return (
    <>
      {test.chosen === null && (
        <button type="button" class="quiet" onClick={() => setOpen('choose')}>
          {w.choose}
        </button>
      )}
      <button type="button" class="quiet" onClick={() => setOpen('stop')}>
        {w.stop}
      </button>
      {open === 'stop' && (
        <Dialog title={w.stop} close={close}>
          <p>{w.stopSays}</p>
          <Form
            send={w.stop}
            isDangerous
            onSend={async () => {
              await ask(`${path}/stop`, { method: 'POST' });
              done();
            }}
          >
            {() => null}
          </Form>
        </Dialog>
      )}
      {open === 'choose' && (
        <Dialog title={w.choose} close={close}>
          <p>{w.chooseSays}</p>
          <Form
            send={w.choose}
            onSend={async ({ variant }) => {
              await ask(`${path}/winner`, { body: { variant } });
              done();
            }}
          >
            {(wrong) => (
              <Choice
                name="variant"
                label={w.variant}
                of={test.variants.map(({ key }) => [key, key] as const)}
                wrong={wrong('variant')}
              />
            )}
          </Form>
        </Dialog>
      )}
    </>
  );
}

function SetUp({ test, own, w }: { test: AbTest; own: Notification['texts'] | undefined; w: Words }) {
  const { share } = format.value;
  const isDressed = test.variants.some(({ templateId }) => templateId);
  const { data: looks } = useAnswer<{ templates: TemplateRow[] }>(
    isDressed ? `/v1/sites/${encodeURIComponent(site.value!.siteId)}/templates?limit=100` : null,
  );
  return (
    <section class="card">
      <h2>{w.setUp}</h2>
      <dl class="facts">
        <dt>{w.controlArm}</dt>
        <dd>{share(test.controlShare)}</dd>
        {test.variants.map(({ key, share: part, texts, templateId, trigger }) => (
          <Fragment key={key}>
            <dt>
              {key}, {share(part)}
            </dt>
            <dd>
              {Object.entries(texts ?? own ?? {}).flatMap(([tag, forms]) =>
                Object.entries(forms).map(([form, text]) => (
                  <span class="said" key={`${tag} ${form}`} lang={tag}>
                    {text}
                  </span>
                )),
              )}
              {templateId && (
                <span class="said">
                  {w.template}:{' '}
                  <a href={to({ page: 'templates', id: templateId })}>
                    {looks?.templates.find((one) => one.templateId === templateId)?.name ?? templateId}
                  </a>
                </span>
              )}
              {trigger && (
                <span class="said">
                  {w.comes(
                    format.value.decimal(trigger.afterMs / 1000),
                    trigger.scrollPercent === null ? null : share(trigger.scrollPercent / 100),
                    trigger.exitIntent,
                  )}
                </span>
              )}
            </dd>
          </Fragment>
        ))}
        <dt>{w.winner}</dt>
        <dd>{w.winners[test.winner]}</dd>
        <dt>{w.howLong}</dt>
        <dd>{w.lasts(test.minDays, test.maxDays)}</dd>
      </dl>
    </section>
  );
}
