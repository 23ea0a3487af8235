// One wording of a new A/B test: its text, its looks and its moment, beside what it would look like now.
import { useId, useState } from 'preact/hooks';
import type { Notification } from '../../../notifications/schema.ts';
import { language } from '../lib/state.ts';
import { usePreview } from '../notifications/preview.tsx';
import { Screen } from '../notifications/screen.tsx';
import { PLAIN, type TemplateRow } from '../notifications/templates.tsx';
import type { TestsWords } from '../words/en/tests.ts';
import { Choice } from './choice.tsx';
import { Field } from './form.tsx';

export type Texts = Notification['texts'];
export type Wrong = (name: string) => string | undefined;

/** Names of the fields of a wording's text: as the API names what is wrong with one. */
export const textName = (n: number, tag: string, form: string) => `variants.${n}.texts.${tag}.${form}`;
export const templateName = (n: number) => `variants.${n}.templateId`;
export const shareName = (n: number) => `variants.${n}.share`;
export const momentName = (n: number, of: keyof Notification['trigger'] = 'afterMs') =>
  `variants.${n}.trigger.${of}`;

export interface WordingProps {
  n: number;
  of: Notification;
  /** Of the notification. */
  path: string;
  templates: readonly TemplateRow[];
  w: TestsWords;
  wrong: Wrong;
  drop: (() => void) | null;
}

export function Wording({ n, of, path, templates, w, wrong, drop }: WordingProps) {
  const id = useId();
  const [texts, setTexts] = useState(of.texts);
  const [templateId, setTemplate] = useState('');
  const languages = new Intl.DisplayNames(language.value, { type: 'language' });
  const typed = ({ target }: InputEvent) => {
    const { name, value } = target as HTMLInputElement;
    if (name === templateName(n)) setTemplate(value);
    for (const [tag, forms] of Object.entries(of.texts))
      for (const form of Object.keys(forms))
        if (name === textName(n, tag, form))
          setTexts((now) => ({ ...now, [tag]: { ...now[tag], [form]: value } }));
  };
  return (
    <fieldset class="framed" aria-describedby={id} onInput={typed}>
      <legend>{w.wording(n + 1)}</legend>
      <p class="soft" id={id}>
        {w.ownWords}
      </p>
      <Field
        name={`variants.${n}.key`}
        label={w.key}
        hint={w.keyHint}
        value={'abcd'[n]!}
        maxLength={32}
        wrong={wrong(`variants.${n}.key`)}
      />
      {Object.entries(of.texts).flatMap(([tag, forms]) =>
        Object.entries(forms).map(([form, text]) => (
          <Field
            key={`${tag} ${form}`}
            name={textName(n, tag, form)}
            label={w.textIn(languages.of(tag) ?? tag, w.forms[form] ?? form)}
            value={text}
            maxLength={200}
            wide
            wrong={wrong(textName(n, tag, form))}
          />
        )),
      )}
      <div class="beside">
        <Choice
          name={templateName(n)}
          label={w.template}
          of={[['', w.ownTemplate], ...templates.map((one) => [one.templateId, one.name] as const)]}
          value=""
          wrong={wrong(templateName(n))}
        />
        <Field
          name={momentName(n)}
          label={w.moment}
          type="number"
          min={0}
          max={600}
          step="any"
          value={String(of.trigger.afterMs / 1000)}
          wrong={wrong(momentName(n))}
        />
        <Field
          name={momentName(n, 'scrollPercent')}
          label={w.momentScroll}
          hint={w.momentScrollHint}
          type="number"
          optional
          min={1}
          max={100}
          value={String(of.trigger.scrollPercent ?? '')}
          wrong={wrong(momentName(n, 'scrollPercent'))}
        />
        <Field
          name={shareName(n)}
          label={w.part}
          hint={w.partHint}
          type="number"
          optional
          min={1}
          max={90}
          step="any"
          wrong={wrong(shareName(n))}
        />
      </div>
      <p>
        <label class="check">
          <input type="checkbox" name={momentName(n, 'exitIntent')} defaultChecked={of.trigger.exitIntent} />{' '}
          {w.momentLeaves}
        </label>
      </p>
      <Look
        of={of}
        path={path}
        texts={texts}
        look={templates.find((one) => one.templateId === (templateId || of.templateId)) ?? PLAIN}
        says={w.looksNow(n + 1)}
      />
      {drop && (
        <button type="button" class="bare" onClick={drop}>
          {w.dropWording}
        </button>
      )}
    </fieldset>
  );
}

interface LookProps {
  of: Notification;
  path: string;
  texts: Texts;
  look: TemplateRow | typeof PLAIN;
  says: string;
}

/** What cannot be so, as a number that is typed, is refused when the draft is made: until then the last that could be. */
function Look({ of, path, texts, look, says }: LookProps) {
  const { seen, refusal } = usePreview(path, { texts }, of.version);
  const tags = Object.keys(of.texts);
  const spoken = tags.find((one) => one.split('-')[0] === language.value) ?? tags[0]!;
  const card = seen?.cards[spoken]?.[0];
  return (
    <section aria-label={says} class={refusal || !seen ? 'old' : ''}>
      <Screen
        card={card ? { ...card, link: of.link, source: of.source } : null}
        channel={of.channels[0]!}
        look={look}
        shape={{ scheme: 'light', isPhone: false }}
        language={spoken}
      />
    </section>
  );
}
