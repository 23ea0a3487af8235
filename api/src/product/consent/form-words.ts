// Words that forms sent along without a published text: nobody was warned of what they lack when they were written down.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { reading } from '../../ground/feature.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import { type SenderDefaults, senderOf } from '../sites/sender.ts';
import { missingInWords } from './compose.ts';

/** So many of the newest are looked at. */
const LOOKED_AT = 200;

interface House {
  db: Pool;
  sites: Pick<SiteDirectory, 'list'>;
  leads: { settings: { senderDefaults: SenderDefaults } };
}

const shape = z
  .object({
    looked: z.int().min(0).describe(`wordings looked at, the newest ${LOOKED_AT} at most`),
    lacking: z
      .int()
      .min(0)
      .describe(
        'of these, wordings that do not say all that the law asks: who, where, how to reach them, that it can be withdrawn',
      ),
  })
  .describe('words that forms sent along with a consent, of no published text');

export const formWordsReading = reading<House, z.output<typeof shape>>({
  name: 'formWords',
  shape,
  async read({ db, sites, leads: { settings } }) {
    const all = new Map(sites.list().map((site) => [site.siteId, site]));
    const { rows } = await inSites(db, [...all.keys()], (tx) =>
      tx.query<{ siteId: string; words: string }>(
        `select site_id as "siteId", words from consent_texts
         where origin = 'form' and site_id = any (current_sites()) order by created_at desc limit ${LOOKED_AT}`,
      ),
    );
    const lacking = rows.filter(({ siteId, words }) => {
      const site = all.get(siteId);
      return site !== undefined && missingInWords(words, senderOf(site, settings.senderDefaults)).length > 0;
    });
    return { looked: rows.length, lacking: lacking.length };
  },
  line: ({ looked, lacking }) =>
    lacking === 0
      ? null
      : `${lacking} of ${looked} wordings beside boxes of forms lack what the law asks; POST /v1/sites/{siteId}/consent-texts with the same words says what`,
});
