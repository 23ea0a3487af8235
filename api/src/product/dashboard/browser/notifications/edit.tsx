// One notification: what it says, of what, where, when and how; with what it would look like now. A change names the version
// that was seen, so that nobody writes over what somebody else changed meanwhile.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { NotificationNumbers } from '../../../counting/numbers.ts';
import { ask, Refusal } from '../lib/ask.ts';
import { toHeading } from '../lib/focus.ts';
import { go, place, to, words } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { Problem } from '../parts/problem.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { ClaimPart } from './claim-part.tsx';
import { type Content, changesOf, contentOf, type Editing, type Shown, wordsOf, wrongIn } from './draft.ts';
import { Section, Text } from './fields.tsx';
import { mayChange, pathOf } from './list.tsx';
import { Preview, usePreview } from './preview.tsx';
import { lastDays, Seen } from './seen.tsx';
import { LooksPart, SchedulePart, TargetingPart, TriggerPart } from './show-parts.tsx';
import { Standing, Steps } from './steps.tsx';
import { PLAIN, type TemplateRow } from './templates.tsx';
import { Versions } from './versions.tsx';
import { WordsPart } from './words-part.tsx';

export function EditNotification({ id }: { id: string }) {
  const w = wordsOf();
  const path = `${pathOf('notifications')}/${encodeURIComponent(id)}`;
  const [kept, setKept] = useState<Shown | null>(null);
  const [problem, setProblem] = useState<Refusal | null>(null);
  // each reading anew is another form, with nothing in it of the one before
  const [round, setRound] = useState(0);
  useEffect(() => {
    const ending = new AbortController();
    ask<{ notification: Shown }>(path, { signal: ending.signal }).then(
      ({ notification }) => {
        setKept(notification);
        setProblem(null);
      },
      (error) => error instanceof Refusal && setProblem(error),
    );
    return () => ending.abort();
  }, [path, round]);
  const again = () => {
    setKept(null);
    setRound((n) => n + 1);
  };
  return (
    <>
      <p class="up">
        <a href={to({})}>← {w.title}</a>
      </p>
      {problem && <Problem problem={problem} again={again} />}
      {!kept && !problem && <Skeleton />}
      {kept && <Editor key={round} path={path} kept={kept} keep={setKept} again={again} />}
    </>
  );
}

function Editor({
  path,
  kept,
  keep,
  again,
}: {
  path: string;
  kept: Shown;
  keep(next: Shown): void;
  again(): void;
}) {
  const w = wordsOf();
  const [draft, setDraft] = useState<Content>(() => contentOf(kept));
  const [refused, setRefused] = useState<Refusal | null>(null);
  const [isSaved, setSaved] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const { data } = useAnswer<{ templates: TemplateRow[] }>(`${pathOf('templates')}?limit=100`);
  const { data: counted } = useAnswer<{ numbers: NotificationNumbers }>(
    kept.status === 'draft' ? null : `${path}/numbers?${lastDays()}`,
  );
  const changes = changesOf(kept, draft);
  const isChanged = Object.keys(changes).length > 0;
  const isFixed = kept.status === 'ended' || !mayChange();
  const { seen, refusal } = usePreview(path, changes, kept.version);
  // what was refused on saving stands until something is changed; what could not be looked at, as long as it is so
  const wrong = wrongIn(refused ?? (isChanged ? refusal : null), w);
  const editing: Editing = {
    kind: kept.kind,
    draft,
    set(change) {
      setDraft((now) => ({ ...now, ...change }));
      setRefused(null);
      setSaved(false);
    },
    wrong,
    w,
  };
  useEffect(() => {
    if (!isChanged) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [isChanged]);
  const failed = (error: Refusal) => {
    setRefused(error);
    requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus());
  };
  const done = (next: Shown) => {
    keep(next);
    setDraft(contentOf(next));
    setRefused(null);
  };
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!isChanged) return;
    try {
      const { version } = kept;
      done(
        (await ask<{ notification: Shown }>(path, { method: 'PATCH', body: changes, version })).notification,
      );
      setSaved(true);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failed(error);
    }
  };
  const chosen = data?.templates.find(({ templateId }) => templateId === draft.templateId);
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{kept.name}</h1>
        <Standing one={kept} />
        <span class="room" />
        {!isFixed && (
          <Steps
            one={kept}
            path={path}
            changes={changes}
            failed={failed}
            done={(next) => {
              if (!next) return go({ ...place.value, id: null });
              // what is being written goes on while it pauses
              if (next.status === 'paused') keep(next);
              else done(next);
              if (next.status === 'ended') toHeading();
            }}
          />
        )}
      </div>
      <p class="soft small">
        {w.kinds[kept.kind]} · {w.version(kept.version)}
      </p>
      {kept.status !== 'draft' && <Seen numbers={counted?.numbers} />}
      {kept.status === 'ended' && <p class="notice">{w.isOver}</p>}
      <div class="editor">
        <Preview
          kept={kept}
          draft={draft}
          seen={seen}
          isRefused={isChanged && refusal !== null}
          look={chosen ?? PLAIN}
        />
        <form ref={form} onSubmit={save}>
          <fieldset class="all" disabled={isFixed}>
            <WordsPart editing={editing} />
            <ClaimPart editing={editing} />
            <TargetingPart editing={editing} />
            <TriggerPart editing={editing} />
            <SchedulePart editing={editing} />
            <LooksPart editing={editing} id={kept.notificationId} templates={data?.templates ?? []} />
            <Section title={w.name} says={draft.name} isWrong={Boolean(wrong('name'))}>
              <Text
                label={w.name}
                hint={w.nameHint}
                maxLength={100}
                value={draft.name}
                set={(name) => editing.set({ name })}
                wrong={wrong('name')}
              />
            </Section>
            {refused && <Refused refusal={refused} again={again} />}
            {!isFixed && (
              <p class="actions keep">
                <button type="submit" class="act" aria-disabled={!isChanged}>
                  {words.value!.save}
                </button>
                {isChanged && (
                  <button type="button" class="quiet" onClick={again}>
                    {w.discard}
                  </button>
                )}
                <span role="status" class={isSaved ? 'good' : 'soft'}>
                  {isSaved ? w.savedAs(kept.version) : isChanged ? w.notSaved : ''}
                </span>
              </p>
            )}
          </fieldset>
        </form>
      </div>
      <Versions path={path} version={kept.version} />
    </>
  );
}

/** Why it was not taken. */
export function Refused({ refusal, again }: { refusal: Refusal; again(): void }) {
  const w = wordsOf();
  const isNewer = refusal.status === 412;
  const own = { unbacked_claim: w.typedNumber, precondition_failed: w.changedMeanwhile }[refusal.code];
  return (
    <div class="problem" role="alert">
      <p>{refusal.status === 0 ? words.value!.offline : (own ?? refusal.message)}</p>
      {isNewer && (
        <button type="button" class="quiet" onClick={again}>
          {w.lookAgain}
        </button>
      )}
    </div>
  );
}
