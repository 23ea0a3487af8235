// Days of another tool: its files are read here, looked at, sent in batches, and can be undone.
import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import type { Import } from '../../../imports/schema.ts';
import { NotReadable, type Read, readExport } from '../import/read.ts';
import { beginImport, sendImport } from '../import/send.ts';
import { ask, Refusal } from '../lib/ask.ts';
import { format, language, site, to } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { Field } from '../parts/form.tsx';
import { Problem } from '../parts/problem.tsx';
import { imports as en } from '../words/en/imports.ts';
import { imports as fr } from '../words/fr/imports.ts';

type Words = typeof en;
const TOOLS = {
  plausible: 'Plausible',
  umami: 'Umami',
  ga4: 'Google Analytics 4',
  matomo: 'Matomo',
  goatcounter: 'GoatCounter',
  fathom: 'Fathom',
};
interface Chosen {
  files: File[];
  timeZone: string;
  read: Read;
}

export function Imports() {
  const w = language.value === 'fr' ? fr : en;
  const path = `/v1/sites/${encodeURIComponent(site.value!.siteId)}/imports`;
  const { data, problem, again } = useAnswer<{ imports: Import[]; before: string }>(path);
  if (problem && !data) return <Problem problem={problem} again={again} />;
  return (
    <>
      <h1 tabIndex={-1}>{w.title}</h1>
      <p>
        <a href={to({ page: 'settings' })}>{w.back}</a>
      </p>
      <section class="card">
        <p>{w.says}</p>
        {data && <p>{w.before(format.value.longDay(data.before))}</p>}
        <h2>{w.how}</h2>
        <dl class="steps">
          {Object.values(w.steps).map((step) => {
            const [tool, ...rest] = step.split(/ ?: /);
            return (
              <div key={tool}>
                <dt>{tool}</dt>
                <dd>{rest.join(': ')}</dd>
              </div>
            );
          })}
        </dl>
      </section>
      {data && <Bring w={w} path={path} before={data.before} done={again} />}
      {data && <Brought w={w} path={path} imports={data.imports} changed={again} />}
    </>
  );
}

function Bring({ w, path, before, done }: { w: Words; path: string; before: string; done(): void }) {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  async function read(event: SubmitEvent) {
    event.preventDefault();
    const values = new FormData(event.target as HTMLFormElement);
    const files = values.getAll('files').filter((file) => file instanceof File) as File[];
    const timeZone = String(values.get('zone'));
    setBusy(true);
    setWrong(null);
    setChosen(null);
    try {
      const named = files.map((file) => ({ name: file.name, blob: file as Blob }));
      const found = await readExport(named, { timeZone, before });
      if (found.rows.length === 0) throw new NotReadable('empty');
      setChosen({ files, timeZone, read: found });
    } catch (error) {
      // a zone that is none, or a file that ends in the middle
      setWrong((error instanceof NotReadable && w.cannot[error.message]) || String((error as Error).message));
    }
    setBusy(false);
  }
  return (
    <section class="card">
      <form onSubmit={read}>
        <p class="field">
          <label for="files">{w.files}</label>
          <input id="files" name="files" type="file" multiple required aria-describedby="files-hint" />
          <span class="hint" id="files-hint">
            {w.filesHint}
          </span>
        </p>
        <Field name="zone" label={w.zone} hint={w.zoneHint} value={site.value!.timeZone} maxLength={64} />
        {wrong && (
          <p class="wrong" role="alert">
            {wrong}
          </p>
        )}
        <p class="actions">
          <button type="submit" class="act" aria-disabled={isBusy}>
            {isBusy ? w.reading : w.read}
          </button>
        </p>
      </form>
      {chosen && (
        <Preview
          key={chosen.timeZone}
          w={w}
          path={path}
          chosen={chosen}
          done={() => {
            setChosen(null);
            done();
          }}
        />
      )}
    </section>
  );
}

function Preview({ w, path, chosen, done }: { w: Words; path: string; chosen: Chosen; done(): void }) {
  const { sums, leftOut, rows, source } = chosen.read;
  const all = rows.reduce((count, [, some]) => count + some.length, 0);
  const [importId, setImportId] = useState<string | null>(null);
  const [sent, setSent] = useState<number | null>(null);
  const [refused, setRefused] = useState<Refusal | null>(null);
  const { count, longDay: day } = format.value;
  async function bring() {
    if (sent !== null && !refused) return;
    setRefused(null);
    setSent(0);
    try {
      const id = importId ?? (await beginImport(path, chosen.read, chosen.files, chosen.timeZone));
      setImportId(id);
      await sendImport(`${path}/${id}`, chosen.read, setSent);
      done();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      setRefused(error);
    }
  }
  return (
    <div class="preview">
      <h2>{w.found(TOOLS[source], count(sums.days))}</h2>
      {sums.first && sums.last && <p>{w.span(day(sums.first), day(sums.last))}</p>}
      <dl class="facts">
        {(
          [
            [w.visitorDays, sums.visitors],
            [w.visits, sums.visits],
            [w.pageviews, sums.pageviews],
            [w.events, sums.events],
            [w.rows, all],
          ] as const
        ).map(([name, value]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>{count(value)}</dd>
          </Fragment>
        ))}
      </dl>
      {Object.keys(leftOut).length > 0 && (
        <>
          <h3>{w.leftOut}</h3>
          <ul>
            {Object.entries(leftOut).map(([why, left]) => (
              <li key={why}>
                {count(left)} {w.why[why] ?? why}
              </li>
            ))}
          </ul>
        </>
      )}
      {refused && <Problem problem={refused} />}
      <p class="actions">
        <button type="button" class="act" onClick={bring} aria-disabled={sent !== null && !refused}>
          {w.bring}
        </button>{' '}
        <span role="status">{sent !== null && w.sending(count(sent), count(all))}</span>
      </p>
    </div>
  );
}

function Brought({
  w,
  path,
  imports,
  changed,
}: {
  w: Words;
  path: string;
  imports: Import[];
  changed(): void;
}) {
  const [refused, setRefused] = useState<Refusal | null>(null);
  const { count, longDay: day } = format.value;
  const undo = (importId: string) =>
    ask(`${path}/${importId}`, { method: 'DELETE' }).then(
      () => {
        setRefused(null);
        changed();
      },
      (error) => error instanceof Refusal && setRefused(error),
    );
  return (
    <section class="card">
      <h2>{w.list}</h2>
      {imports.length === 0 && <p class="soft">{w.none}</p>}
      {imports.length > 0 && (
        <ul class="lines">
          {imports.map((one) => (
            <li key={one.importId}>
              {w.found(TOOLS[one.source], count(one.days))}{' '}
              <span class="soft">
                {one.firstDay && one.lastDay && `${w.span(day(one.firstDay), day(one.lastDay))}, `}
                {one.finishedAt
                  ? `${count(one.sums.visits)} ${w.visits}, ${count(one.sums.pageviews)} ${w.pageviews}`
                  : w.unfinished}
              </span>{' '}
              <button type="button" class="bare" onClick={() => undo(one.importId)}>
                {w.undo}
              </button>
            </li>
          ))}
        </ul>
      )}
      {refused && <Problem problem={refused} />}
    </section>
  );
}
