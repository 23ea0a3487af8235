// The SQL door of choices.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Ending } from '../../ground/retention/purge.ts';

/** Of a site: further ones are known by their hash alone. A control has two languages, and a new wording with a release. */
export const NEW_WORDS_A_DAY_MAX = 20;
/** How long an answer holds; then the visitor is asked anew. */
export const CHOICE_MONTHS = 6;

export interface NewChoice {
  choiceId: string;
  mode: string;
  /** null: the browser had no id */
  visitorId: string | null;
  words: string;
  language: string;
  privacySignal: boolean;
  /** By the browser's clock; taken as lying between half a year ago and now. */
  chosenAt: Date;
}

/**
 * Writes a choice down, once; inside inSites.
 * returns  when it ends; of one that was told before, as it was written then
 */
export async function insertChoice(db: Db, siteId: string, choice: NewChoice): Promise<string> {
  await db.query(
    `insert into browser_choice_words as w (site_id, words_hash, words)
     select $1, sha256(convert_to($2, 'UTF8')), $2
     where exists (select from browser_choice_words k where k.site_id = $1 and k.words_hash = sha256(convert_to($2, 'UTF8')))
       or (select count(*) from browser_choice_words k where k.site_id = $1 and k.first_shown_at > now() - interval '1 day') < $3
     on conflict (site_id, words_hash) do update set last_shown_at = now() where w.last_shown_at < now() - interval '1 day'`,
    [siteId, choice.words, NEW_WORDS_A_DAY_MAX],
  );
  const { choiceId, mode, visitorId, words, language, privacySignal, chosenAt } = choice;
  await db.query(
    `insert into browser_choices (site_id, choice_id, mode, visitor_id, words_hash, language, privacy_signal, chosen_at, ends_at)
     select $1, $2, $3, $4, sha256(convert_to($5, 'UTF8')), $6, $7, at, at + make_interval(months => $9)
     from (select least(greatest($8::timestamptz, now() - make_interval(months => $9)), now())::timestamptz(3) as at) chosen
     on conflict do nothing`,
    [siteId, choiceId, mode, visitorId, words, language, privacySignal, chosenAt, CHOICE_MONTHS],
  );
  const { rows } = await db.query<{ ends_at: Date }>(
    'select ends_at from browser_choices where site_id = $1 and choice_id = $2',
    [siteId, choiceId],
  );
  return rows[0]!.ends_at.toISOString();
}

export interface Choice {
  choiceId: string;
  mode: 'full' | 'measure' | 'page' | 'off';
  visitorId: string | null;
  words: string | null;
  wordsSha256: string;
  language: string;
  privacySignal: boolean;
  chosenAt: string;
  recordedAt: string;
  endsAt: string;
}

/**
 * The newest first; inside inSites.
 * visitorId  null: of everybody
 * after      chosenAt and choiceId of the last one of the page before
 */
export async function listChoices(
  db: Db,
  siteId: string,
  visitorId: string | null,
  after: [string, string] | null,
  limit: number,
): Promise<Choice[]> {
  const [at, id] = after ?? [null, null];
  const { rows } = await db.query<Choice>(
    `select c.choice_id as "choiceId", c.mode, c.visitor_id as "visitorId", w.words, encode(c.words_hash, 'hex') as "wordsSha256", c.language,
       c.privacy_signal as "privacySignal", instant_text(c.chosen_at) as "chosenAt", instant_text(c.recorded_at) as "recordedAt",
       instant_text(c.ends_at) as "endsAt"
     from browser_choices c left join browser_choice_words w using (site_id, words_hash)
     where c.site_id = $1 and ($2::uuid is null or c.visitor_id = $2)
       and ($3::timestamptz is null or (c.chosen_at, c.choice_id) < ($3, $4::uuid))
     order by c.chosen_at desc, c.choice_id desc limit $5`,
    [siteId, visitorId, at, id, limit],
  );
  return rows;
}

/** Choices after their years, in bites; the app's role can't delete one, so PostgreSQL's own function does. */
export function endChoices(db: Pool): Ending {
  return async ({ siteIds, bound, dryRun, signal }) => {
    let browserChoices = 0;
    for (const siteId of siteIds) {
      for (let bite = 1; bite > 0 && !signal?.aborted; ) {
        bite = await inSites(db, siteId, async (client) => {
          const { rows } = await client.query<{ count: number }>(
            dryRun
              ? 'select count(*) as count from browser_choices where site_id = $1 and ends_at < $2'
              : 'select purge_browser_choices($1, $2) as count',
            [siteId, bound],
          );
          return Number(rows[0]!.count);
        });
        browserChoices += bite;
        if (dryRun) break;
      }
    }
    return { rows: { browserChoices } };
  };
}
