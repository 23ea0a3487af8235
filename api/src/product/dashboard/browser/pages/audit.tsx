// The audit log: who did what, by whom, what and when, also as CSV. What is asked for stands in the address.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { z } from 'zod';
import { toCsv } from '../../../../ground/lib/csv.ts';
import { addDays } from '../../../../ground/lib/days.ts';
import type { entryShape } from '../../../../operations/audit/routes.ts';
import type { ShownUser } from '../../../accounts/shapes.ts';
import { ask, Refusal, saveBlob } from '../lib/ask.ts';
import { NO_FILTER } from '../lib/place.ts';
import { format, isOneOf, language, look, place, site, sites, words } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { usePages } from '../lib/use-pages.ts';
import { momentOf } from '../lib/zoned.ts';
import { Field, Form } from '../parts/form.tsx';
import { Icon } from '../parts/icons.tsx';
import { More } from '../parts/more.tsx';
import { Problem } from '../parts/problem.tsx';
import { namesOf } from '../parts/sites-choice.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { Table } from '../parts/table.tsx';
import { PageTabs, PRIVACY } from '../parts/tabs.tsx';
import { access as en } from '../words/en/access.ts';
import { access as fr } from '../words/fr/access.ts';

type Entry = z.output<typeof entryShape>;
interface Listed {
  entries: Entry[];
  nextCursor: string | null;
}
/** As many as a browser holds without effort. */
const SAVED_MAX = 20_000;

function questionOf({ who, what, since, until, by }: typeof place.value.look): string {
  const { key, timeZone } = site.value!;
  const at = (day: string) => new Date(momentOf(`${day}T00:00`, timeZone)).toISOString();
  return `/v1/audit?${new URLSearchParams({
    ...(by.includes('site') ? { propertyId: key } : {}),
    ...(who ? { actor: who } : {}),
    ...(what ? { action: what } : {}),
    ...(since ? { from: at(since) } : {}),
    ...(until ? { to: at(addDays(until, 1)) } : {}),
  })}`;
}

export function Audit() {
  const w = language.value === 'fr' ? fr : en;
  const asked = place.value.look;
  const question = questionOf(asked);
  const { rows, problem, isOld, more, again } = usePages<Listed, Entry>(
    `${question}&limit=50`,
    ({ entries }) => entries,
  );
  // names stand for those that the reader may see; the others stay ids
  const { data: people } = useAnswer<{ users: ShownUser[] }>(
    isOneOf('owner', 'admin') ? '/v1/users?limit=500' : null,
  );
  const names = new Map(
    people?.users.map(({ userId, fullName, email }) => [`user:${userId}`, fullName ?? email]),
  );
  const [refused, setRefused] = useState<Refusal | null>(null);
  const [isCut, setCut] = useState(false);
  // what the address asks for stands in the fields, whoever changed it
  const filters = useRef<HTMLDivElement>(null);
  useEffect(() => filters.current?.querySelector('form')?.reset(), [question]);
  async function save() {
    const all: Entry[] = [];
    let cursor: string | null = null;
    do {
      const next: string = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
      const page: Listed = await ask<Listed>(`${question}&limit=500${next}`);
      all.push(...page.entries);
      cursor = page.nextCursor;
    } while (cursor && all.length < SAVED_MAX);
    setCut(cursor !== null);
    setRefused(null);
    saveBlob(new Blob([toCsv(all)], { type: 'text/csv' }), 'audit.csv');
  }
  const only = (change: Partial<typeof asked>, what: string, says: string) => (
    <button
      type="button"
      class="bare plain"
      aria-label={w.only(says)}
      title={what}
      onClick={() => look(change)}
    >
      {says}
    </button>
  );
  const by = ({ actor }: Entry) => only({ who: actor }, actor, names.get(actor) ?? w.actors[actor] ?? actor);
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{words.value!.pages.audit}</h1>
        <span class="room" />
        <button
          type="button"
          class="quiet"
          onClick={() => save().catch((error) => error instanceof Refusal && setRefused(error))}
        >
          <Icon name="download" /> CSV
        </button>
      </div>
      <PageTabs of={PRIVACY} />
      <p class="soft">{w.auditSays}</p>
      <div ref={filters}>
        <Form
          send={w.filter}
          more={
            (asked.by.includes('site') ||
              Object.keys(NO_FILTER).some((name) => asked[name as 'who'] !== '')) && (
              <button type="button" class="quiet" onClick={() => look({ ...NO_FILTER, by: [] })}>
                {w.clear}
              </button>
            )
          }
          onSend={async ({ who = '', what = '', since = '', until = '', site: only }) =>
            look({ who: who.trim(), what: what.trim(), since, until, by: only ? ['site'] : [] })
          }
        >
          {() => (
            <div class="pair">
              <Field name="who" label={w.who} hint={w.whoHint} value={asked.who} optional maxLength={100} />
              <Field name="what" label={w.did} hint={w.didHint} value={asked.what} optional maxLength={200} />
              <Field name="since" label={w.notBefore} type="date" value={asked.since} optional />
              <Field name="until" label={w.notAfter} type="date" value={asked.until} optional />
              {sites.value.length > 1 && (
                <p>
                  <label class="check">
                    <input type="checkbox" name="site" defaultChecked={asked.by.includes('site')} />{' '}
                    {w.onlyThisSite}
                  </label>
                </p>
              )}
            </div>
          )}
        </Form>
      </div>
      {(problem ?? refused) && <Problem problem={(problem ?? refused)!} again={again} />}
      {isCut && <p class="notice warn">{w.cutCsv(format.value.count(SAVED_MAX))}</p>}
      {!rows && !problem && <Skeleton />}
      {rows?.length === 0 && <p class="notice">{w.noneSuch}</p>}
      {rows && rows.length > 0 && (
        <div class={isOld ? 'old' : undefined} aria-busy={isOld}>
          <Table
            caption={words.value!.pages.audit}
            rows={rows}
            keyOf={({ auditId }) => auditId}
            columns={[
              {
                says: words.value!.when,
                of: (entry) => (
                  <>
                    <time dateTime={entry.at}>{format.value.moment(entry.at, site.value!.timeZone)}</time>
                    <span class="less">{by(entry)}</span>
                  </>
                ),
              },
              { says: w.who, as: 'more', of: by },
              { says: w.did, of: ({ action }) => only({ what: action }, action, action) },
              ...(sites.value.length > 1
                ? [
                    {
                      says: words.value!.site,
                      as: 'more' as const,
                      of: ({ siteId }: Entry) => siteId && namesOf([siteId]),
                    },
                  ]
                : []),
              {
                says: w.target,
                as: 'more',
                of: ({ target, details }) => (
                  <span class="soft small" title={details ? JSON.stringify(details) : undefined}>
                    {target}
                  </span>
                ),
              },
              {
                says: w.outcome,
                as: 'n',
                of: ({ outcome }) => (
                  <span class={outcome < 400 ? 'unbroken' : 'unbroken wrong'}>{outcome}</span>
                ),
              },
            ]}
          />
        </div>
      )}
      <More more={more} says={words.value!.moreRows} />
    </>
  );
}
