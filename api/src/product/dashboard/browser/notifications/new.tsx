// A new notification: its kind and its name. It is a draft then, with words that can be looked at and changed.
import { useState } from 'preact/hooks';
import { ask } from '../lib/ask.ts';
import { go, language, place, site, to } from '../lib/state.ts';
import { todayIn } from '../lib/today.ts';
import { Field, Form } from '../parts/form.tsx';
import { KINDS, type Kind, type Shown, STARTS, wordsOf } from './draft.ts';
import { pathOf } from './list.tsx';

export function NewNotification() {
  const w = wordsOf();
  const [kind, setKind] = useState<Kind>('count');
  return (
    <>
      <p class="up">
        <a href={to({})}>← {w.title}</a>
      </p>
      <h1 tabIndex={-1}>{w.newTitle}</h1>
      <section class="card narrow">
        <Form
          send={w.makeDraft}
          onSend={async ({ name, text, url, statedOn }) => {
            const body =
              kind === 'message'
                ? { texts: { [language.value]: { other: text } }, source: { url, statedOn } }
                : {
                    claim: STARTS[kind].claim,
                    texts: { [language.value]: STARTS[kind].texts[language.value] },
                  };
            const made = await ask<{ notification: Shown }>(pathOf('notifications'), {
              body: { kind, name, ...body },
            });
            go({ ...place.value, id: made.notification.notificationId }, { replace: true });
          }}
        >
          {(wrong) => (
            <>
              <fieldset class="kinds">
                <legend>{w.kind}</legend>
                {KINDS.map((one) => (
                  <label key={one}>
                    <input
                      type="radio"
                      name="kind"
                      value={one}
                      checked={kind === one}
                      onChange={() => setKind(one)}
                    />
                    <span>
                      <strong>{w.kinds[one]}</strong>
                      <span class="soft">{w.kindsSay[one]}</span>
                    </span>
                  </label>
                ))}
              </fieldset>
              <Field name="name" label={w.name} hint={w.nameHint} maxLength={100} wrong={wrong('name')} />
              {kind === 'message' && (
                <>
                  <Field
                    name="text"
                    label={w.text}
                    maxLength={200}
                    wrong={wrong(`texts.${language.value}.other`)}
                  />
                  <Field
                    name="url"
                    type="url"
                    label={w.sourceUrl}
                    hint={w.sourceSays}
                    wrong={wrong('source.url')}
                  />
                  <Field
                    name="statedOn"
                    label={w.sourceOn}
                    hint={w.dayHint}
                    value={todayIn(site.value!.timeZone)}
                    wrong={wrong('source.statedOn')}
                  />
                </>
              )}
            </>
          )}
        </Form>
      </section>
    </>
  );
}
