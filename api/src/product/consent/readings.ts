// What consent tells about itself: whether a visitor could ask somebody.
import { z } from 'zod';
import type { Config } from '../../config.ts';
import type { Pool } from '../../ground/db/pool.ts';
import { critical, reading } from '../../ground/feature.ts';
import { utc } from '../../ground/http/fields.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import { formWordsReading } from './form-words.ts';

const chainsShape = z
  .object({
    checkedAt: utc,
    leads: z.int(),
    records: z.int(),
    broken: z.int().describe('leads whose chain is not whole; the job "consent_chains" names them'),
    root: z.string().describe('of all chains; also in the manifest of the next backup'),
    earlier: z
      .array(z.object({ checkedAt: utc, root: z.string() }))
      .describe('of the seven days before, the latest first'),
  })
  .nullable()
  .describe('chains of consent records, and of who may be named, as they were checked last; null: not yet');

interface House {
  db: Pool;
  config: Pick<Config, 'PRIVACY_CONTACT_EMAIL'>;
  sites: Pick<SiteDirectory, 'list'>;
}

const shape = z
  .object({
    contact: z.string().nullable().describe('PRIVACY_CONTACT_EMAIL'),
    sitesWithout: z
      .int()
      .describe(
        'sites whose notice names nobody to write to; how many, since callers may see only their own',
      ),
  })
  .describe('whom visitors can ask about their data');

/** Sites whose notice names nobody to write to. */
export const sitesWithoutContact = (
  { PRIVACY_CONTACT_EMAIL }: House['config'],
  sites: House['sites'],
): unknown[] =>
  PRIVACY_CONTACT_EMAIL
    ? []
    : sites.list().filter(({ settings }) => typeof settings.senderContact !== 'string');

export const nobodyToAsk = (sites: number): string =>
  `NOBODY TO ASK about their data is named to visitors of ${sites} sites: set PRIVACY_CONTACT_EMAIL, or senderContact of each`;

export const consentReadings = [
  reading<House, z.output<typeof chainsShape>>({
    name: 'consentChains',
    shape: chainsShape,
    async read({ db }) {
      const { rows } = await db.query<{
        at: string;
        result: Omit<NonNullable<z.output<typeof chainsShape>>, 'checkedAt' | 'earlier'>;
      }>(
        // the last of each day: looked at by hand, a day has several
        `select instant_text(finished_at) as at, result from (
           select distinct on (date_trunc('day', started_at, 'UTC')) started_at, finished_at, result from job_runs
           where job = 'consent_chains' and state = 'succeeded' and options ->> 'at' is null
           order by date_trunc('day', started_at, 'UTC') desc, started_at desc limit 8) of_days
         order by started_at desc`,
      );
      if (!rows[0]) return null;
      const { at, result } = rows[0];
      const { leads, records, broken, root } = result;
      const earlier = rows.slice(1).map((row) => ({ checkedAt: row.at, root: row.result.root }));
      return { checkedAt: at, leads, records, broken, root, earlier };
    },
    line: (chains) =>
      chains &&
      `${chains.records} consent records of ${chains.leads} leads checked, ${chains.broken || 'none'} not whole; root of the day (note it elsewhere): ${chains.root}`,
    carriedAway: (chains) =>
      [...(chains ? [chains, ...chains.earlier] : [])].map(
        ({ checkedAt, root }) => `Root of all chains of consent at ${checkedAt}: ${root}`,
      ),
    rules: [
      {
        id: 'consent_chains',
        minutes: 1,
        when: 'a chain of consent records is not whole',
        check: (chains) =>
          chains && chains.broken > 0
            ? critical(
                `The consent records of ${chains.broken} leads were changed, removed or added to by another hand. ` +
                  'POST /v1/admin/jobs/consent_chains names them; GET /v1/leads/{leadId}/consent shows what does not fit; compare with the last backup that was whole',
              )
            : null,
      },
    ],
  }),
  formWordsReading,
  reading<House, z.output<typeof shape>>({
    name: 'privacyContact',
    shape,
    async read({ config, sites }) {
      return {
        contact: config.PRIVACY_CONTACT_EMAIL ?? null,
        sitesWithout: sitesWithoutContact(config, sites).length,
      };
    },
    line: ({ sitesWithout }) => (sitesWithout === 0 ? null : nobodyToAsk(sitesWithout)),
  }),
];
