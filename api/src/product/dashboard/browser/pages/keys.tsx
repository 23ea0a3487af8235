// Keys of programs: which there are and what each may, one that is made, one that is ended.
import { useState } from 'preact/hooks';
import type { Scope } from '../../../../ground/http/roles.ts';
import type { Key } from '../../../keys/schema.ts';
import { ask } from '../lib/ask.ts';
import { format, language, words } from '../lib/state.ts';
import { usePages } from '../lib/use-pages.ts';
import { Choice } from '../parts/choice.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { Copy } from '../parts/copy.tsx';
import { Entries } from '../parts/entries.tsx';
import { Field, Form } from '../parts/form.tsx';
import { More } from '../parts/more.tsx';
import { Problem } from '../parts/problem.tsx';
import { namesOf, SitesChoice, sitesOf } from '../parts/sites-choice.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { PageTabs, SETTINGS } from '../parts/tabs.tsx';
import { access as en } from '../words/en/access.ts';
import { access as fr } from '../words/fr/access.ts';

const DAY_MS = 86_400_000;
const LASTING = [30, 90, 365, 730] as const;
type Words = typeof en;

function stateOf({ revokedAt, expiresAt }: Key, w: Words): string | false {
  if (revokedAt) return w.ended;
  return Date.parse(expiresAt) <= Date.now() && w.ranOut;
}

function NewKey({ w, made }: { w: Words; made(): Promise<void> }) {
  const [token, setToken] = useState<string | null>(null);
  const scopes = Object.keys(w.scopes) as Scope[];
  return (
    <section class="card">
      <h2>{w.makeKey}</h2>
      {token && (
        <div role="status">
          <p>{words.value!.onlyNow}</p>
          <Copy text={token} label={w.copyKey} />
        </div>
      )}
      <Form
        send={w.makeKey}
        onSend={async ({ name, days, ...values }) => {
          const body = {
            name,
            scopes: scopes.filter((scope) => values[scope] === 'on'),
            expiresAt: new Date(Date.now() + Number(days) * DAY_MS).toISOString(),
            ...sitesOf(values),
          };
          setToken((await ask<{ token: string }>('/v1/keys', { body })).token);
          await made();
        }}
      >
        {(wrong) => (
          <>
            <Field name="name" label={w.keyFor} maxLength={200} autocomplete="off" wrong={wrong('name')} />
            <fieldset name="scopes">
              <legend>{w.mayDo}</legend>
              {scopes.map((scope) => (
                <p key={scope} class="scope">
                  <label class="check">
                    <input type="checkbox" name={scope} defaultChecked={scope === 'read'} />
                    <span>
                      <code>{scope}</code> {w.scopes[scope]}
                    </span>
                  </label>
                </p>
              ))}
              {wrong('scopes') && (
                <p class="wrong" role="alert">
                  {wrong('scopes')}
                </p>
              )}
            </fieldset>
            <SitesChoice says={w.which} hint={w.allIfNone} />
            <Choice
              name="days"
              label={w.keyLasts}
              of={LASTING.map((days) => [String(days), w.keyLasting[days]] as const)}
              value="365"
              wrong={wrong('expiresAt')}
            />
          </>
        )}
      </Form>
    </section>
  );
}

export function Keys() {
  const w: Words = language.value === 'fr' ? fr : en;
  const { rows, problem, more, again } = usePages<{ keys: Key[]; nextCursor: string | null }, Key>(
    '/v1/keys?limit=50',
    ({ keys }) => keys,
  );
  const f = format.value;
  return (
    <>
      <h1 tabIndex={-1}>{words.value!.pages.keys}</h1>
      <PageTabs of={SETTINGS} />
      <p class="soft">{w.keysSay}</p>
      {problem && <Problem problem={problem} again={again} />}
      {!rows && !problem && <Skeleton />}
      {rows && (
        <Entries
          none={w.noKeys}
          of={rows.map((key) => {
            const over = stateOf(key, w);
            return {
              key: key.keyId,
              name: key.name,
              pills: [over, ...key.scopes],
              isOver: over !== false,
              facts: [
                namesOf(key.siteIds),
                words.value!.until(f.date(key.expiresAt.slice(0, 10))),
                key.lastUsedOn ? words.value!.lastUsed(f.date(key.lastUsedOn)) : w.neverUsed,
              ],
              actions: over === false && (
                <Confirm
                  label={words.value!.revoke}
                  of={key.name}
                  says={w.revokeSays(key.name)}
                  act={() => ask(`/v1/keys/${key.keyId}`, { method: 'DELETE' }).then(again)}
                />
              ),
            };
          })}
        />
      )}
      <More more={more} says={words.value!.moreRows} />
      <NewKey w={w} made={again} />
    </>
  );
}
