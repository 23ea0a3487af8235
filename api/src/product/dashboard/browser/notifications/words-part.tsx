// What a notification says: in each language, in each form that its number takes there; and where a click leads.
import { useRef, useState } from 'preact/hooks';
import { format } from '../lib/state.ts';
import { type Editing, isCounted, MAY, type Placeholder, STARTS } from './draft.ts';
import { Labelled, Section, Text } from './fields.tsx';

const OFTEN = ['en', 'fr', 'es', 'de', 'it', 'pt', 'nl', 'sv', 'pl', 'uk', 'ar', 'he', 'ja', 'zh', 'ko'];
const LANGUAGES_MAX = 8;

export const nameOf = (tag: string): string => {
  try {
    return new Intl.DisplayNames(document.documentElement.lang, { type: 'language' }).of(tag) ?? tag;
  } catch {
    return tag;
  }
};

/** Forms that a language has for a number; one, where none is said. */
function formsOf(language: string, counted: boolean): readonly string[] {
  if (!counted) return ['other'];
  try {
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
    const order = ['zero', 'one', 'two', 'few', 'many', 'other'];
    return order.filter((one) => (pluralCategories as string[]).includes(one));
  } catch {
    return ['other'];
  }
}

/** Numbers that take this form, for whoever does not know its name. */
function samplesOf(language: string, form: string): string {
  const rules = new Intl.PluralRules(language);
  const all = [0, 1, 2, 3, 5, 11, 20, 100, 1_000_000].filter((number) => rules.select(number) === form);
  const some = all.slice(form === 'other' && all[0] === 0 ? 1 : 0).slice(0, 3);
  return some.map(format.value.count).join(', ') + (all.length > some.length ? ' …' : '');
}

function Form({
  language,
  form,
  value,
  set,
  editing: { kind, wrong, w },
  isOptional,
}: {
  language: string;
  form: string;
  value: string;
  set(text: string): void;
  editing: Editing;
  isOptional: boolean;
}) {
  const box = useRef<HTMLTextAreaElement | null>(null);
  const counted = isCounted(kind);
  const samples = counted ? samplesOf(language, form) : '';
  const label = counted ? (samples ? w.formFor(samples) : w.forms[form]!) : w.text;
  const put = (name: Placeholder) => {
    const { selectionStart, selectionEnd } = box.current!;
    const text = `${value.slice(0, selectionStart)}{${name}}${value.slice(selectionEnd)}`;
    set(text);
    const at = selectionStart + name.length + 2;
    requestAnimationFrame(() => {
      box.current?.focus();
      box.current?.setSelectionRange(at, at);
    });
  };
  return (
    <>
      <Labelled
        label={label}
        isWide
        hint={isOptional ? w.formOptional : undefined}
        wrong={wrong(`texts.${language}.${form}`)}
      >
        {(about) => (
          <textarea
            {...about}
            ref={box}
            class="says"
            rows={2}
            maxLength={200}
            lang={language}
            dir="auto"
            value={value}
            onInput={(event) => set(event.currentTarget.value)}
          />
        )}
      </Labelled>
      {MAY[kind].length > 0 && (
        <fieldset class="chips" aria-label={w.putIn(label)}>
          {MAY[kind].map((name) => (
            <button
              key={name}
              type="button"
              class="quiet"
              title={w.placeholders[name]}
              onClick={() => put(name)}
            >
              {`{${name}}`}
            </button>
          ))}
        </fieldset>
      )}
    </>
  );
}

export function WordsPart({ editing }: { editing: Editing }) {
  const { kind, draft, set, wrong, w } = editing;
  const [added, setAdded] = useState('');
  const languages = Object.keys(draft.texts);
  const counted = isCounted(kind);
  const write = (language: string, form: string, text: string) => {
    const { [form]: _gone, ...others } = draft.texts[language]!;
    // an empty form is none, and the text of all others stands in for it
    const forms = text === '' && form !== 'other' ? others : { ...draft.texts[language], [form]: text };
    set({ texts: { ...draft.texts, [language]: forms } });
  };
  const remove = (language: string) => {
    const { [language]: _gone, ...others } = draft.texts;
    set({ texts: others });
  };
  const link = draft.link ?? { url: '', label: '' };
  const setLink = (change: Partial<typeof link>) => {
    const next = { ...link, ...change };
    set({ link: next.url === '' && next.label === '' ? null : next });
  };
  return (
    <Section title={w.wordsTitle} isOpen isWrong={Boolean(wrong('texts') ?? wrong('link'))}>
      {counted && <p class="soft">{w.wordsSay}</p>}
      {languages.map((language) => (
        <fieldset class="group" key={language}>
          <legend>{nameOf(language)}</legend>
          {formsOf(language, counted).map((form) => (
            <Form
              key={form}
              language={language}
              form={form}
              value={draft.texts[language]![form] ?? ''}
              set={(text) => write(language, form, text)}
              editing={editing}
              isOptional={form !== 'other'}
            />
          ))}
          {languages.length > 1 && (
            <button type="button" class="bare" onClick={() => remove(language)}>
              {w.removeLanguage(nameOf(language))}
            </button>
          )}
        </fieldset>
      ))}
      {languages.length < LANGUAGES_MAX && (
        <div class="field">
          <label for="add-language">{w.addLanguage}</label>
          <select
            id="add-language"
            value={added}
            onChange={({ currentTarget: { value } }) => {
              setAdded('');
              if (!value) return;
              const started = kind === 'message' ? null : STARTS[kind].texts[value as 'en' | 'fr'];
              set({ texts: { ...draft.texts, [value]: { other: '', ...started } } });
            }}
          >
            <option value="">{w.choose}</option>
            {OFTEN.filter((one) => !languages.includes(one)).map((one) => (
              <option key={one} value={one}>
                {nameOf(one)}
              </option>
            ))}
          </select>
        </div>
      )}
      <div class="pair">
        <Text
          label={w.linkUrl}
          hint={w.linkHint}
          value={link.url}
          set={(url) => setLink({ url })}
          wrong={wrong('link.url')}
        />
        <Text
          label={w.linkLabel}
          maxLength={60}
          value={link.label}
          set={(label) => setLink({ label })}
          wrong={wrong('link.label')}
        />
      </div>
    </Section>
  );
}
