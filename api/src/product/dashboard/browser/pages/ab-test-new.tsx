// Makes an A/B test as a draft: which notification, in which wordings, and what a visitor has to do for it to have helped.
import { useState } from 'preact/hooks';
import type { AbTest, NewTest as Wanted } from '../../../ab-tests/schema.ts';
import type { Notification } from '../../../notifications/schema.ts';
import { ask, Refusal } from '../lib/ask.ts';
import { go, language, place, site, to } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import type { TemplateRow } from '../notifications/templates.tsx';
import { Choice } from '../parts/choice.tsx';
import { Field, Form } from '../parts/form.tsx';
import { Problem } from '../parts/problem.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import {
  momentName,
  shareName,
  type Texts,
  templateName,
  textName,
  Wording,
  type Wrong,
} from '../parts/wording.tsx';
import { tests as en } from '../words/en/tests.ts';
import { tests as fr } from '../words/fr/tests.ts';

type Words = typeof en;
const VARIANTS_MAX = 4;

export function NewTest() {
  const w: Words = language.value === 'fr' ? fr : en;
  const base = `/v1/sites/${encodeURIComponent(site.value!.siteId)}`;
  const { data, problem, again } = useAnswer<{ notifications: Notification[] }>(
    `${base}/notifications?limit=100`,
  );
  const { data: looks } = useAnswer<{ templates: TemplateRow[] }>(`${base}/templates?limit=100`);
  const testable = data?.notifications.filter(({ status }) => status !== 'ended');
  return (
    <>
      <p>
        <a href={to({ page: 'tests' })}>← {w.all}</a>
      </p>
      <h1 tabIndex={-1}>{w.newTitle}</h1>
      <p class="soft">{w.newSays}</p>
      {problem && !data && <Problem problem={problem} again={again} />}
      {!data && !problem && <Skeleton />}
      {testable?.length === 0 && <p class="notice">{w.noNotification}</p>}
      {testable && testable.length > 0 && (
        <Make testable={testable} templates={looks?.templates ?? []} base={base} w={w} />
      )}
    </>
  );
}

/** Its wording as it stands in the form; null: as the notification says it. */
function textsIn(values: Record<string, string>, n: number, own: Texts): Texts | null {
  let isOwn = true;
  const texts: Texts = {};
  for (const [tag, forms] of Object.entries(own)) {
    texts[tag] = {};
    for (const form of Object.keys(forms)) {
      texts[tag][form] = values[textName(n, tag, form)]!.trim();
      isOwn &&= texts[tag][form] === forms[form];
    }
  }
  return isOwn ? null : texts;
}

type Trigger = Notification['trigger'];

/** When its card comes, as it stands in the form. */
const triggerIn = (values: Record<string, string>, n: number): Trigger => ({
  afterMs: Math.round(Number(values[momentName(n)]) * 1000),
  scrollPercent: Number(values[momentName(n, 'scrollPercent')]) || null,
  exitIntent: values[momentName(n, 'exitIntent')] === 'on',
});
const isSame = (one: Trigger, other: Trigger) =>
  one.afterMs === other.afterMs &&
  one.scrollPercent === other.scrollPercent &&
  one.exitIntent === other.exitIntent;

/** The API checks one wording after the other and says of which text something is wrong: said at those it can be of. throws  it */
const atTexts = (variants: Wanted['variants']) => (error: unknown) => {
  if (!(error instanceof Refusal)) throw error;
  const issues = error.issues.flatMap(({ path, message }) => {
    const [first, tag = '', form = ''] = path.split('.');
    if (first !== 'texts') return [{ path, message }];
    const holdsNumber = (text: string) => /\p{N}/u.test(text.replace(/\{[a-z]+\}/g, ''));
    const suspects = variants.flatMap(({ texts }, n) => (texts?.[tag]?.[form] === undefined ? [] : [n]));
    const those = suspects.filter((n) => holdsNumber(variants[n]!.texts![tag]![form]!));
    return (error.code === 'unbacked_claim' && those.length > 0 ? those : suspects).map((n) => ({
      path: textName(n, tag, form),
      message: error.code === 'unbacked_claim' ? error.message : message,
    }));
  });
  throw new Refusal(
    error.status,
    { error: error.code, message: error.message, requestId: error.requestId, issues },
    error.retryAfter,
  );
};

const goalOf = ({ of = '', event = '', path = '', withinDays = '' }: Record<string, string>) => ({
  of: of === 'event' ? `event:${event}` : of,
  where: path ? { path } : {},
  withinDays: Number(withinDays),
});

/** Fields of the form that the API names otherwise. */
const NAMES = { 'goal.of': 'event', 'goal.where.path': 'path', 'goal.withinDays': 'withinDays' } as const;

interface MakeProps {
  testable: readonly Notification[];
  templates: readonly TemplateRow[];
  /** Of the site. */
  base: string;
  w: Words;
}

function Make({ testable, templates, base, w }: MakeProps) {
  const [notificationId, setNotification] = useState(testable[0]!.notificationId);
  const [places, setPlaces] = useState([0]);
  const [of, setOf] = useState('leads');
  const chosen = testable.find((one) => one.notificationId === notificationId) ?? testable[0]!;
  const send = async (values: Record<string, string>) => {
    const variants = places.map((_, n) => {
      const texts = textsIn(values, n, chosen.texts);
      const templateId = values[templateName(n)];
      const trigger = triggerIn(values, n);
      const share = values[shareName(n)];
      return {
        key: values[`variants.${n}.key`]!,
        ...(texts && { texts }),
        ...(templateId && { templateId }),
        ...(share && { share: Number(share) / 100 }),
        ...(!isSame(trigger, chosen.trigger) && { trigger }),
      };
    });
    const body = {
      notificationId,
      variants,
      controlShare: Number(values.controlShare) / 100,
      goal: goalOf(values),
      minDays: Number(values.minDays),
      maxDays: Number(values.maxDays),
      winner: values.winner,
      stopUnproven: values.stopUnproven === 'on',
    };
    const { test } = await ask<{ test: AbTest }>(`${base}/ab-tests`, { body }).catch(atTexts(variants));
    go({ ...place.value, id: test.testId }, { replace: true });
  };
  return (
    <section class="card">
      <Form send={w.makeDraft} onSend={send}>
        {(said) => {
          const wrong: Wrong = (name) =>
            said(name) ??
            said(Object.entries(NAMES).find(([, field]) => field === name)?.[0] ?? name) ??
            undefined;
          return (
            <>
              <div
                onChange={({ target }) => {
                  const { name, value } = target as HTMLSelectElement;
                  if (name === 'notification') setNotification(value);
                  if (name === 'of') setOf(value);
                }}
              >
                <Choice
                  name="notification"
                  label={w.notification}
                  of={testable.map((one) => [one.notificationId, one.name] as const)}
                  value={notificationId}
                />
                <h2>{w.wordings}</h2>
                {places.map((key, n) => (
                  <Wording
                    key={`${notificationId} ${key}`}
                    n={n}
                    of={chosen}
                    path={`${base}/notifications/${notificationId}`}
                    templates={templates}
                    w={w}
                    wrong={wrong}
                    drop={places.length > 1 ? () => setPlaces(places.filter((one) => one !== key)) : null}
                  />
                ))}
                {wrong('variants') && <p class="wrong">{wrong('variants')}</p>}
                {places.length < VARIANTS_MAX && (
                  <p>
                    <button
                      type="button"
                      class="quiet"
                      onClick={() => setPlaces([...places, Math.max(...places) + 1])}
                    >
                      {w.addWording}
                    </button>
                  </p>
                )}
                <Field
                  name="controlShare"
                  label={w.control}
                  hint={w.controlHint}
                  type="number"
                  min={10}
                  max={90}
                  step="any"
                  value="50"
                  wrong={wrong('controlShare')}
                />
                <h2>{w.goal}</h2>
                <Goal of={of} w={w} wrong={wrong} />
              </div>
              <Rules w={w} wrong={wrong} />
            </>
          );
        }}
      </Form>
    </section>
  );
}

function Goal({ of, w, wrong }: { of: string; w: Words; wrong: Wrong }) {
  const isTold = ['signups', 'activations', 'purchases'].includes(of);
  return (
    <div class="beside">
      <Choice name="of" label={w.goalOf} of={Object.entries(w.goals)} value={of} />
      {of === 'event' && <Field name="event" label={w.goalEvent} maxLength={64} wrong={wrong('event')} />}
      {!isTold && (
        <Field
          name="path"
          label={of === 'page_views' ? w.goalPath : w.goalPathOptional}
          hint={w.goalPathHint}
          optional
          maxLength={200}
          wrong={wrong('path')}
        />
      )}
      <Field
        name="withinDays"
        label={w.withinDays}
        type="number"
        min={1}
        max={28}
        value="7"
        wrong={wrong('withinDays')}
      />
    </div>
  );
}

function Rules({ w, wrong }: { w: Words; wrong: Wrong }) {
  return (
    <>
      <div class="beside">
        <Field
          name="minDays"
          label={w.minDays}
          type="number"
          min={1}
          max={84}
          value="14"
          wrong={wrong('minDays')}
        />
        <Field
          name="maxDays"
          label={w.maxDays}
          type="number"
          min={7}
          max={84}
          value="56"
          wrong={wrong('maxDays')}
        />
        <Choice name="winner" label={w.winner} of={Object.entries(w.winners)} value="manual" />
      </div>
      <p>
        <label class="check">
          <input type="checkbox" name="stopUnproven" /> {w.stopUnproven}
        </label>
      </p>
    </>
  );
}
