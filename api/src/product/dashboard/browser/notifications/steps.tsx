// The life of a notification: run, pause, end, delete. What cannot be taken back is asked first.
import { useState } from 'preact/hooks';
import { ask, Refusal } from '../lib/ask.ts';
import { Dialog } from '../parts/dialog.tsx';
import { type Content, type Shown, wordsOf } from './draft.ts';

/** How it stands: its status, and whether visitors see it now or why not. */
export function Standing({ one: { status, showing, why } }: { one: Shown }) {
  const w = wordsOf();
  return (
    <span role="status" class="standing">
      <span class={`pill ${status}`}>{w.statuses[status]}</span>{' '}
      {showing ? (
        <span class="good">● {w.showing}</span>
      ) : (
        why && why !== status && <span class="soft">○ {w.why[why]}</span>
      )}
    </span>
  );
}

export function Steps({
  one,
  path,
  changes,
  done,
  failed,
}: {
  one: Shown;
  /** Of the notification. */
  path: string;
  /** Kept along when it is run. */
  changes?: Partial<Content>;
  /** null: it is deleted */
  done(next: Shown | null): void;
  failed(refusal: Refusal): void;
}) {
  const w = wordsOf();
  const [asked, setAsked] = useState<'ended' | 'deleted' | null>(null);
  const take = async (step: 'running' | 'paused' | 'ended' | 'deleted') => {
    setAsked(null);
    try {
      const { version } = one;
      if (step === 'deleted') {
        await ask(path, { method: 'DELETE', version });
        done(null);
      } else {
        const body = { ...(step === 'running' ? changes : {}), status: step };
        done((await ask<{ notification: Shown }>(path, { method: 'PATCH', body, version })).notification);
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failed(error);
    }
  };
  const isResting = one.status === 'draft' || one.status === 'paused';
  if (one.status === 'ended') return null;
  // run and pause are one button, so that whoever stands on it stays there
  return (
    <fieldset class="steps-of" aria-label={one.name}>
      <button
        type="button"
        class={isResting ? 'act' : 'quiet'}
        onClick={() => take(isResting ? 'running' : 'paused')}
      >
        {isResting ? (changes && Object.keys(changes).length > 0 ? w.saveAndRun : w.run) : w.pause}
      </button>
      <button
        type="button"
        class="quiet"
        onClick={() => setAsked(one.status === 'draft' ? 'deleted' : 'ended')}
      >
        {one.status === 'draft' ? w.delete : w.end}
      </button>
      {asked && (
        <Dialog
          title={asked === 'ended' ? w.endTitle(one.name) : w.deleteTitle(one.name)}
          close={() => setAsked(null)}
        >
          <p>{asked === 'ended' ? w.endSays : w.deleteSays}</p>
          <p>
            <button type="button" class="danger" onClick={() => take(asked)}>
              {asked === 'ended' ? w.end : w.delete}
            </button>
          </p>
        </Dialog>
      )}
    </fieldset>
  );
}
