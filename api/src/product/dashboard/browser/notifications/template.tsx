// One template: its colours, letters and measures, and CSS that paints; drawn as it is typed, checked by the API when it is kept.
import { useEffect, useRef, useState } from 'preact/hooks';
import { DARK, FONTS } from '../../../notifications/looks/print.ts';
import type { Colors, Tokens } from '../../../notifications/looks/tokens.ts';
import { ask, Refusal } from '../lib/ask.ts';
import { go, language, place, to, words } from '../lib/state.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Problem } from '../parts/problem.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { wordsOf, wrongIn } from './draft.ts';
import { Refused } from './edit.tsx';
import { Labelled, Numeral, Pick, Section, Text } from './fields.tsx';
import { mayChange, pathOf } from './list.tsx';
import { Screen } from './screen.tsx';
import { Shapes, shapeNow } from './shapes.tsx';
import { PLAIN, type TemplateRow } from './templates.tsx';

type Draft = Omit<TemplateRow, 'templateId' | 'version' | 'refused'>;

const PLACES = ['bottom-left', 'bottom-right', 'top-left', 'top-right'] as const;
const CHANNELS = ['toast', 'bar', 'inline'] as const;
const FONT_NAMES = Object.keys(FONTS) as (keyof typeof FONTS)[];

export function EditTemplate({ id }: { id: string }) {
  const w = wordsOf();
  const isNew = id === 'new';
  const path = `${pathOf('templates')}${isNew ? '' : `/${encodeURIComponent(id)}`}`;
  const [kept, setKept] = useState<TemplateRow | null>(null);
  const [problem, setProblem] = useState<Refusal | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (isNew) return;
    const ending = new AbortController();
    ask<{ template: TemplateRow }>(path, { signal: ending.signal }).then(
      ({ template }) => {
        setKept(template);
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
        <a href={to({})}>← {w.templates}</a>
      </p>
      {problem && <Problem problem={problem} again={again} />}
      {!kept && !isNew && !problem && <Skeleton />}
      {(kept || isNew) && <Editor key={round} path={path} kept={kept} keep={setKept} again={again} />}
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
  kept: TemplateRow | null;
  keep(next: TemplateRow): void;
  again(): void;
}) {
  const w = wordsOf();
  const [draft, setDraft] = useState<Draft>(() =>
    kept ? { name: kept.name, tokens: kept.tokens, css: kept.css } : { name: '', ...PLAIN },
  );
  const [refused, setRefused] = useState<Refusal | null>(null);
  const [isSaved, setSaved] = useState(false);
  const [isEnding, setEnding] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const isFixed = !mayChange();
  const wrong = wrongIn(refused, w);
  const set = (change: Partial<Draft>) => {
    setDraft((now) => ({ ...now, ...change }));
    setRefused(null);
    setSaved(false);
  };
  const token = (change: Partial<Tokens>) => set({ tokens: { ...draft.tokens, ...change } });
  const failed = (error: unknown) => {
    if (!(error instanceof Refusal)) throw error;
    setRefused(error);
    requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus());
  };
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    try {
      const how = kept ? { method: 'PATCH' as const, version: kept.version } : {};
      const { template } = await ask<{ template: TemplateRow }>(path, { body: draft, ...how });
      setRefused(null);
      if (!kept) return go({ ...place.value, id: template.templateId }, { replace: true });
      keep(template);
      // what is kept is the API's own print of it
      setDraft({ name: template.name, tokens: template.tokens, css: template.css });
      setSaved(true);
    } catch (error) {
      failed(error);
    }
  };
  const end = () => {
    setEnding(false);
    ask(path, { method: 'DELETE', version: kept!.version }).then(
      () => go({ ...place.value, id: null }),
      failed,
    );
  };
  const { tokens } = draft;
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{kept ? kept.name : w.newTemplate}</h1>
        {kept && <span class="soft small">{w.version(kept.version)}</span>}
        <span class="room" />
        {kept && !isFixed && (
          <button type="button" class="quiet" onClick={() => setEnding(true)}>
            {w.delete}
          </button>
        )}
      </div>
      {isEnding && (
        <Dialog title={w.deleteTitle(kept!.name)} close={() => setEnding(false)}>
          <p>
            <button type="button" class="danger" onClick={end}>
              {w.delete}
            </button>
          </p>
        </Dialog>
      )}
      <div class="editor">
        <Sample look={draft} />
        <form ref={form} onSubmit={save}>
          <fieldset class="all" disabled={isFixed}>
            <section class="card">
              <Text
                label={w.name}
                maxLength={100}
                value={draft.name}
                set={(name) => set({ name })}
                wrong={wrong('name')}
              />
              <ColorsOf
                legend={w.light}
                colors={tokens.light}
                set={(light) => token({ light })}
                wrong={(name) => wrong(`tokens.light.${name}`)}
              />
              <p>
                <label class="check">
                  <input
                    type="checkbox"
                    checked={tokens.dark !== null}
                    onChange={({ currentTarget }) => token({ dark: currentTarget.checked ? DARK : null })}
                  />{' '}
                  {w.hasDark}
                </label>
              </p>
              {tokens.dark && (
                <ColorsOf
                  legend={w.dark}
                  colors={tokens.dark}
                  set={(dark) => token({ dark })}
                  wrong={(name) => wrong(`tokens.dark.${name}`)}
                />
              )}
              <div class="pair">
                <Pick
                  label={w.font}
                  value={tokens.font}
                  set={(font) => token({ font })}
                  of={FONT_NAMES.map((one) => [one, w.fonts[one]] as const)}
                />
                <Pick
                  label={w.position}
                  value={tokens.position}
                  set={(position) => token({ position })}
                  of={PLACES.map((one) => [one, w.positions[one]] as const)}
                />
                <Numeral
                  label={w.radius}
                  min={0}
                  max={24}
                  value={tokens.radius}
                  set={(radius) => token({ radius: radius! })}
                  wrong={wrong('tokens.radius')}
                />
                <Numeral
                  label={w.cardWidth}
                  min={200}
                  max={420}
                  value={tokens.width}
                  set={(width) => token({ width: width! })}
                  wrong={wrong('tokens.width')}
                />
              </div>
              <Text
                label={w.logo}
                hint={w.logoHint}
                type="url"
                isWide
                value={tokens.logo ?? ''}
                set={(logo) => token({ logo: logo || null })}
                wrong={wrong('tokens.logo')}
              />
            </section>
            <Section title="CSS" isOpen={draft.css !== null} isWrong={Boolean(wrong('css'))}>
              <Css
                value={draft.css ?? ''}
                set={(css) => set({ css: css || null })}
                faults={
                  refused?.issues.filter(({ path: of }) => of === 'css').map(({ message }) => message) ?? []
                }
              />
            </Section>
            {refused && <Refused refusal={refused} again={again} />}
            {!isFixed && (
              <p class="actions keep">
                <button type="submit" class="act">
                  {words.value!.save}
                </button>
                <span role="status" class="good">
                  {isSaved && kept ? w.savedAs(kept.version) : ''}
                </span>
              </p>
            )}
          </fieldset>
        </form>
      </div>
    </>
  );
}

function Sample({ look }: { look: Draft }) {
  const w = wordsOf();
  const [channel, setChannel] = useState<(typeof CHANNELS)[number]>('toast');
  return (
    <section class="card look" aria-label={w.preview}>
      <div class="head">
        <h2>{w.preview}</h2>
        <span class="room" />
        <Shapes />
      </div>
      <Screen
        card={{ text: w.sampleText, link: { url: '/', label: w.sampleLink } }}
        channel={channel}
        look={look}
        shape={shapeNow()}
        language={language.value}
      />
      <Pick
        label={w.shownAs}
        value={channel}
        set={(one) => setChannel(one)}
        of={CHANNELS.map((one) => [one, w.channels[one]] as const)}
      />
      <p class="soft small">{w.sampleSays}</p>
    </section>
  );
}

function ColorsOf({
  legend,
  colors,
  set,
  wrong,
}: {
  legend: string;
  colors: Colors;
  set(colors: Colors): void;
  wrong(name: keyof Colors): string | undefined;
}) {
  const w = wordsOf();
  return (
    <fieldset class="group colors">
      <legend>{legend}</legend>
      {(['background', 'text', 'accent', 'border'] as const).map((name) => (
        <Labelled key={name} label={w.colors[name]} wrong={wrong(name)}>
          {(about) => (
            <span class="color">
              <input
                {...about}
                value={colors[name]}
                maxLength={7}
                spellcheck={false}
                onInput={(event) => set({ ...colors, [name]: event.currentTarget.value.trim() })}
              />
              <input
                type="color"
                aria-label={w.pickColor(w.colors[name])}
                value={colors[name].length === 4 ? colors[name].replace(/[^#]/g, '$&$&') : colors[name]}
                onInput={(event) => set({ ...colors, [name]: event.currentTarget.value })}
              />
            </span>
          )}
        </Labelled>
      ))}
    </fieldset>
  );
}

const PLACE = /^line (\d+), column (\d+)/;

function Css({
  value,
  set,
  faults,
}: {
  value: string;
  set(css: string): void;
  /** As the API says them, with line and column. */
  faults: readonly string[];
}) {
  const w = wordsOf();
  const box = useRef<HTMLTextAreaElement | null>(null);
  const goTo = (line: number, column: number) => {
    const start = value.split('\n', line - 1).join('\n').length + (line > 1 ? 1 : 0) + column - 1;
    box.current?.focus();
    box.current?.setSelectionRange(start, start + 1);
  };
  return (
    <>
      <Labelled
        label="CSS"
        isWide
        hint={w.cssHint}
        wrong={faults.length > 0 ? w.cssWrong(faults.length) : undefined}
      >
        {(about) => (
          <textarea
            {...about}
            ref={box}
            rows={10}
            maxLength={8192}
            spellcheck={false}
            value={value}
            onInput={(event) => set(event.currentTarget.value)}
          />
        )}
      </Labelled>
      {faults.length > 0 && (
        <ul class="lines">
          {faults.map((fault) => {
            const [at, line, column] = PLACE.exec(fault) ?? [];
            return (
              <li key={fault}>
                {at && (
                  <button type="button" class="bare" onClick={() => goTo(Number(line), Number(column))}>
                    {w.lineColumn(line!, column!)}
                  </button>
                )}{' '}
                <span class="wrong">{fault.replace(PLACE, '').replace(/^:\s*/, '')}</span>
              </li>
            );
          })}
        </ul>
      )}
    </>
  );
}
