// Which published texts there are: asked for by every form that names one, so what was found once is remembered.
import { LRUCache } from 'lru-cache';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { AppError, type Issue } from '../../ground/lib/app-error.ts';

export interface KnownText {
  /** null: sent along by a form that did not say it. */
  language: string | null;
}

/** null: the site has no such text; undefined: nobody can say now, the database is away. */
export type FindText = (siteId: string, textId: string) => Promise<KnownText | null | undefined>;

// Texts are never changed nor removed while someone's consent names them; a few dozen bytes each.
const REMEMBERED_MAX = 1000;

export function knownTexts(db: Pool): FindText {
  const known = new LRUCache<string, KnownText>({ max: REMEMBERED_MAX });
  return async (siteId, textId) => {
    const key = `${siteId} ${textId}`;
    const found = known.get(key);
    if (found) return found;
    try {
      const { rows } = await inSites(db, siteId, (client) =>
        client.query<KnownText>(
          "select nullif(language, 'und') as language from consent_texts where site_id = $1 and text_id = $2",
          [siteId, textId],
        ),
      );
      if (rows[0]) known.set(key, rows[0]);
      return rows[0] ?? null;
    } catch {
      return undefined; // a lead is taken all the same
    }
  };
}

/** What a form is told that names a text nobody published: it would cost every consent in silence. */
export const unknownText = (hasWords: boolean): Issue => ({
  path: 'consent.textId',
  message: `is none of the site's texts (GET /v1/sites/{siteId}/consent-texts); ${
    hasWords ? 'the words in consent.text were taken' : 'recorded without words, so as pending'
  }`,
});

/** throws  invalid_request with path textId; inside inSites */
export async function existingText(db: Db, siteId: string, textId: string): Promise<void> {
  const { rowCount } = await db.query('select from consent_texts where site_id = $1 and text_id = $2', [
    siteId,
    textId,
  ]);
  if (rowCount) return;
  throw new AppError('invalid_request', 'The site has no text with this textId.', {
    issues: [{ path: 'textId', message: 'is none of GET /v1/sites/{siteId}/consent-texts' }],
  });
}
