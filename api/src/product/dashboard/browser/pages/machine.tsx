// The machine behind the numbers: alarms, what room is left, jobs, and whether a backup was restored on trial.
import type { RestoreChecks } from '../../../../operations/backups/check-routes.ts';
import type { Status } from '../../../../operations/status/shape.ts';
import { format, language, words } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { Problem } from '../parts/problem.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { Table } from '../parts/table.tsx';
import { access as en } from '../words/en/access.ts';
import { access as fr } from '../words/fr/access.ts';

const ago = (instant: string) => format.value.ago(instant, Date.now());

function Alarms({ alarms }: { alarms: Status['alarms']['alarms'] }) {
  const w = words.value!;
  if (alarms.length === 0) return <p class="notice good">{w.noAlarms}</p>;
  return (
    <ul class="alarms">
      {alarms.map(({ id, severity, message, since }) => (
        <li key={id} class={severity}>
          <strong>{w.severities[severity]}</strong> {message} <span class="soft">{ago(since)}</span>
        </li>
      ))}
    </ul>
  );
}

function Backups({ backups }: { backups: Status['backups'] }) {
  const w = words.value!;
  const { newest, lastVerified, lastCheck, offsite } = backups;
  return (
    <section class="card">
      <h2>{w.backups}</h2>
      <dl class="facts">
        <dt>{w.newestBackup}</dt>
        <dd>{newest ? `${newest.name}, ${ago(newest.at)}` : w.none}</dd>
        <dt>{w.encrypted}</dt>
        <dd>{newest?.encrypted ? w.yes : w.no}</dd>
        <dt>{w.restoredOnTrial}</dt>
        <dd class={lastVerified ? 'good' : 'wrong'}>{lastVerified ? ago(lastVerified.at) : w.never}</dd>
        {lastCheck && !lastCheck.ok && (
          <>
            <dt>{w.lastTrialFailed}</dt>
            <dd class="wrong">{lastCheck.problems.join('; ')}</dd>
          </>
        )}
        {offsite.map((place) => (
          <>
            <dt>{place.target}</dt>
            <dd class={place.ok ? 'good' : 'wrong'}>
              {place.ok ? w.copies(format.value.count(place.copies ?? 0)) : place.message}
            </dd>
          </>
        ))}
      </dl>
    </section>
  );
}

function Room({ status: { disk, memory, database, version, upSeconds } }: { status: Status }) {
  const w = words.value!;
  const f = format.value;
  return (
    <section class="card">
      <h2>{w.room}</h2>
      <dl class="facts">
        <dt>{w.disk}</dt>
        <dd>{disk ? w.diskSays(f.bytes(disk.freeBytes), f.bytes(disk.totalBytes)) : w.unknown}</dd>
        <dt>{w.memory}</dt>
        <dd>{f.bytes(memory.rssBytes)}</dd>
        <dt>{w.database}</dt>
        <dd>
          {database.bytes === undefined ? w.unknown : f.bytes(database.bytes)} · PostgreSQL {database.version}
        </dd>
        <dt>{w.version}</dt>
        <dd>
          {version} · {w.upSince(f.duration(upSeconds))}
        </dd>
      </dl>
    </section>
  );
}

function Jobs({ jobs }: { jobs: Status['jobs'] }) {
  const w = words.value!;
  return (
    <section>
      <h2>{w.jobs}</h2>
      <Table
        caption={w.jobs}
        rows={jobs}
        keyOf={({ job }) => job}
        columns={[
          { says: w.job, of: ({ job }) => job },
          { says: w.lastRun, of: ({ last }) => (last ? ago(last.startedAt) : w.never) },
          {
            says: w.outcome,
            of: ({ last, stuck }) => (
              <span
                class={stuck || last?.state === 'failed' ? 'wrong' : undefined}
                title={last?.error ?? undefined}
              >
                {stuck ? w.stuck : last ? w.states[last.state] : '–'}
              </span>
            ),
          },
          { says: w.what, as: 'more', of: ({ why }) => <span class="soft">{why}</span> },
        ]}
      />
    </section>
  );
}

function Checks() {
  const w = language.value === 'fr' ? fr : en;
  const { count, moment, duration } = format.value;
  const { data, problem, again } = useAnswer<RestoreChecks>('/v1/admin/restore-checks', 300_000);
  if (problem && !data) return <Problem problem={problem} again={again} />;
  if (!data) return <Skeleton low />;
  return (
    <section>
      <h2>{w.checks}</h2>
      <p class="soft">{w.checksSay}</p>
      {data.skipped && <p class="notice warn">{data.skipped.message}</p>}
      {data.checks.length === 0 ? (
        <p class="notice">{w.noChecks}</p>
      ) : (
        <Table
          caption={w.checks}
          rows={data.checks}
          keyOf={({ backup }) => backup}
          columns={[
            { says: w.madeAt, of: ({ madeAt }) => <time dateTime={madeAt}>{moment(madeAt)}</time> },
            {
              says: w.result,
              of: ({ check }) =>
                check === null ? (
                  <span class="soft">{w.untried}</span>
                ) : check.ok ? (
                  <span class="good">{w.equal}</span>
                ) : (
                  <span class="wrong">
                    {w.differs}: {check.problems.join('; ')}
                  </span>
                ),
            },
            {
              says: w.holds,
              as: 'more',
              of: ({ content }) => content && w.compared(count(content.tables), count(content.rows)),
            },
            {
              says: w.tried,
              of: ({ check }) => check && <time dateTime={check.at}>{ago(check.at)}</time>,
            },
            { says: w.took, as: 'n more', of: ({ check }) => check && duration(check.ms / 1000) },
          ]}
        />
      )}
    </section>
  );
}

export function Machine() {
  const w = words.value!;
  const { data, problem, again } = useAnswer<Status>('/v1/admin/status', 60_000);
  return (
    <>
      <h1 tabIndex={-1}>{w.pages.machine}</h1>
      {problem && <Problem problem={problem} again={again} />}
      {data && (
        <>
          <Alarms alarms={data.alarms.alarms} />
          <div class="two">
            <Backups backups={data.backups} />
            <Room status={data} />
          </div>
          <Checks />
          <Jobs jobs={data.jobs} />
          <h2>{w.lines}</h2>
          <ul class="lines">
            {data.lines.map(({ name, text }) => (
              <li key={name}>
                <span class="soft">{name}</span> {text}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
