// The notes on the days that are shown: a table under the chart, and a small form to write, change and remove one.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Note } from '../../../notes/schema.ts';
import { ask, Refusal } from '../lib/ask.ts';
import { format, isOneOf, language, site, words } from '../lib/state.ts';
import { notes as en } from '../words/en/notes.ts';
import { notes as fr } from '../words/fr/notes.ts';
import { Choice } from './choice.tsx';
import { Dialog } from './dialog.tsx';
import { Field, Form } from './form.tsx';
import { Problem } from './problem.tsx';

const WRITTEN = ['note', 'deploy', 'campaign', 'incident'] as const;

/** What the chart asks for: the notes of some days, or a new one on a day. */
export type Wanted = { show: { from: string; to: string } } | { write: string };
export interface NotesProps {
  notes: readonly Note[];
  /** On which one is written, unless another is chosen: the last that is shown. */
  lastDay: string;
  wanted: Wanted | null;
  changed(): void;
}

export function Notes({ notes, lastDay, wanted, changed }: NotesProps) {
  const w = language.value === 'fr' ? fr : en;
  const [open, setOpen] = useState<{ note: Note | null; day: string } | null>(null);
  const [isShown, show] = useState(false);
  const table = useRef<HTMLTableElement>(null);
  const add = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!wanted) return;
    if ('write' in wanted) {
      setOpen({ note: null, day: wanted.write });
      return;
    }
    const { from, to } = wanted.show;
    show(true);
    const first = notes.find(({ day }) => from <= day && day <= to);
    requestAnimationFrame(() =>
      table.current?.querySelector<HTMLElement>(`[data-note="${first?.noteId}"]`)?.focus(),
    );
  }, [wanted]);
  const done = () => {
    setOpen(null);
    changed();
    requestAnimationFrame(() => add.current?.focus());
  };
  return (
    <div class="notes">
      <p class="head">
        {notes.length > 0 ? (
          <button key="all" type="button" class="bare" aria-expanded={isShown} onClick={() => show(!isShown)}>
            {w.title(notes.length)}
          </button>
        ) : (
          <span class="soft">{w.none}</span>
        )}
        {/* with keys: without them this button becomes the one before when the first note comes, and takes the focus along */}
        <button
          key="add"
          type="button"
          class="bare"
          ref={add}
          onClick={() => setOpen({ note: null, day: lastDay })}
        >
          {w.add}
        </button>
      </p>
      {isShown && notes.length > 0 && (
        <div class="scroll">
          <table class="wide" ref={table}>
            <caption class="unseen">{w.title(notes.length)}</caption>
            <thead>
              <tr>
                <th scope="col">{w.day}</th>
                <th scope="col">{w.text}</th>
                <th scope="col">
                  <span class="unseen">{w.change}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {notes.map((note) => (
                <Row key={note.noteId} note={note} w={w} change={() => setOpen({ note, day: note.day })} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {open && <Editor {...open} w={w} close={() => setOpen(null)} done={done} />}
    </div>
  );
}

function Row({ note, w, change }: { note: Note; w: typeof en; change(): void }) {
  const says = `${words.value!.noteKinds[note.kind]}: ${note.text}`;
  return (
    <tr>
      <th scope="row" tabIndex={-1} data-note={note.noteId}>
        {format.value.day(note.day)}
      </th>
      <td>
        {says} {note.scope === 'mine' && <span class="soft">({w.onlyYou})</span>}
      </td>
      <td class="n">
        {note.mayChange && (
          <button type="button" class="bare" aria-label={w.changes(says)} onClick={change}>
            {w.change}
          </button>
        )}
      </td>
    </tr>
  );
}

interface EditorProps {
  /** null: a new one. */
  note: Note | null;
  day: string;
  w: typeof en;
  close(): void;
  done(): void;
}

function Editor({ note, day, w, close, done }: EditorProps) {
  const kinds = words.value!.noteKinds;
  const [refused, setRefused] = useState<Refusal | null>(null);
  const path = `/v1/sites/${encodeURIComponent(site.value!.siteId)}/notes`;
  const mayForAll = isOneOf('owner', 'admin', 'analyst');
  const remove = ({ noteId, version }: Note) =>
    ask(`${path}/${noteId}`, { method: 'DELETE', version }).then(
      done,
      (error) => error instanceof Refusal && setRefused(error),
    );
  return (
    <Dialog title={note ? w.changing : w.add} close={close}>
      {refused && <Problem problem={refused} />}
      <Form
        send={words.value!.save}
        onSend={async ({ at, kind, text, scope }) => {
          // the moment stays, where the day does
          const said = { text, kind, ...(at === note?.day ? {} : { at }) };
          if (note)
            await ask(`${path}/${note.noteId}`, { method: 'PATCH', body: said, version: note.version });
          else await ask(path, { body: { ...said, scope: mayForAll ? scope : 'mine' } });
          done();
        }}
        more={
          note && (
            <button type="button" class="danger" onClick={() => remove(note)}>
              {w.remove}
            </button>
          )
        }
      >
        {(wrong) => (
          <>
            <Field
              name="text"
              label={w.text}
              value={note?.text ?? ''}
              maxLength={200}
              wrong={wrong('text')}
              {...(note || mayForAll ? {} : { hint: w.ownHint })}
            />
            <Field name="at" label={w.day} type="date" value={day} wrong={wrong('at')} />
            <Choice
              name="kind"
              label={w.kind}
              of={WRITTEN.map((one) => [one, kinds[one]])}
              value={note?.kind ?? 'note'}
            />
            {!note && mayForAll && (
              <Choice name="scope" label={w.scope} of={Object.entries(w.scopes)} value="site" />
            )}
          </>
        )}
      </Form>
    </Dialog>
  );
}
