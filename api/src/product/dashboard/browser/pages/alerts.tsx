// Rules that warn by mail when this site's numbers are unlike themselves.
import { useState } from 'preact/hooks';
import type { AlertRule } from '../../../alert-rules/schema.ts';
import { addressesIn, atRecipients } from '../lib/addresses.ts';
import { ask } from '../lib/ask.ts';
import { useDeed } from '../lib/deed.ts';
import { format, language, site } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { Choice } from '../parts/choice.tsx';
import { Field, Form } from '../parts/form.tsx';
import { Problem } from '../parts/problem.tsx';
import { alerts as en } from '../words/en/alerts.ts';
import { reports as reportsEn } from '../words/en/reports.ts';
import { alerts as fr } from '../words/fr/alerts.ts';
import { reports as reportsFr } from '../words/fr/reports.ts';

export function Alerts() {
  const w = language.value === 'fr' ? fr : en;
  const states = language.value === 'fr' ? reportsFr : reportsEn;
  const path = `/v1/sites/${encodeURIComponent(site.value!.siteId)}/alert-rules`;
  const { data, problem, again } = useAnswer<{ rules: AlertRule[] }>(path);
  const { act, refused } = useDeed(again);
  return (
    <section class="card">
      <h2>{w.title}</h2>
      <p>{w.says}</p>
      {problem && !data && <Problem problem={problem} again={again} />}
      {data?.rules.length === 0 && <p class="soft">{w.none}</p>}
      {data && data.rules.length > 0 && (
        <ul class="lines">
          {data.rules.map((rule) => (
            <li key={rule.ruleId}>
              {w.kinds[rule.kind]}
              {rule.goal && `: ${rule.goal}`}{' '}
              <span class="soft">
                {w.sensitivities[rule.sensitivity]}
                {rule.toldAt && `, ${w.told(format.value.moment(rule.toldAt))}`};{' '}
                {rule.channels.map(({ mail }) => `${mail.email ?? '?'} ${states[mail.state]}`).join(', ')}
              </span>{' '}
              <button type="button" class="bare" onClick={() => act(`${path}/${rule.ruleId}`)}>
                {w.end}
              </button>
            </li>
          ))}
        </ul>
      )}
      {refused && <Problem problem={refused} />}
      <NewRule w={w} path={path} made={again} />
    </section>
  );
}

function NewRule({ w, path, made }: { w: typeof en; path: string; made(): void }) {
  const [kind, setKind] = useState('spike');
  return (
    <Form
      send={w.make}
      onSend={async ({ recipients, sensitivity, goal }) => {
        const channels = addressesIn(recipients).map((mail) => ({ mail }));
        const body = { kind, sensitivity, channels, ...(kind === 'goal_zero' ? { goal } : {}) };
        await ask(path, { body }).catch(atRecipients);
        made();
      }}
    >
      {(wrong) => (
        <>
          <div
            class="beside"
            onChange={({ target }) => {
              const { name, value } = target as HTMLSelectElement;
              if (name === 'kind') setKind(value);
            }}
          >
            <Choice name="kind" label={w.kind} of={Object.entries(w.kinds)} />
            <Choice
              name="sensitivity"
              label={w.sensitivity}
              of={Object.entries(w.sensitivities)}
              value="normal"
            />
          </div>
          {kind === 'goal_zero' && <Field name="goal" label={w.goal} maxLength={64} wrong={wrong('goal')} />}
          <Field
            name="recipients"
            label={w.recipients}
            hint={w.recipientsHint}
            maxLength={2000}
            wrong={wrong('recipients')}
          />
        </>
      )}
    </Form>
  );
}
