// Tells who watches a site's stream that what its pages are shown became something else: once, however many processes build it.
import { createHash } from 'node:crypto';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Site } from '../../ground/site.ts';
import { languageOf } from '../../ground/words/language.ts';
import { tellNews } from '../outbox/outbox.ts';
import type { Built } from './build.ts';
import type { Feeds } from './feeds.ts';
import { languagesOf, renderFeed } from './render.ts';

interface Parts {
  db: Pool;
  feeds: Pick<Feeds, 'onBuilt'>;
  sites: { find(siteId: string): Site | undefined };
  log: Log;
}

/** returns  what ends it */
export function tellFeeds({ db, feeds, sites, log }: Parts): () => Promise<void> {
  const telling = new Set<Promise<void>>();
  const unhear = feeds.onBuilt((siteId, built) => {
    const site = sites.find(siteId);
    if (!site) return;
    const work = inSites(db, siteId, (tx) => tellBuilt(tx, site, built))
      // what is built next differs from what was told last, too
      .catch((err) => log.warn({ err }, 'that a feed became another one could not be told'))
      .finally(() => telling.delete(work));
    telling.add(work);
  });
  return async () => {
    unhear();
    await Promise.all(telling);
  };
}

async function tellBuilt(db: Db, site: Site, built: Built): Promise<void> {
  const { siteId } = site;
  if (!(await isListenedTo(db, siteId))) return;
  const news = { content: contentOf(site, built), asOf: built.asOf.toISOString() };
  if (!isNews(await lastTold(db, siteId), news)) return;
  // what other processes build at the same time is told in turn
  await db.query('select from outbox_heads where site_id = $1 for update', [siteId]);
  if (isNews(await lastTold(db, siteId), news)) await tellNews(db, siteId, 'feed.updated', news);
}

interface Told {
  /** The same as long as it says the same. */
  content: string;
  asOf: string;
}
const isNews = (last: Told | undefined, { content, asOf }: Told) =>
  !last || (last.content !== content && last.asOf < asOf);

async function isListenedTo(db: Db, siteId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    'select from outbox_heads where site_id = $1 and listened_until > now()',
    [siteId],
  );
  return rowCount === 1;
}

async function lastTold(db: Db, siteId: string): Promise<Told | undefined> {
  const { rows } = await db.query<{ data: Told }>(
    "select data from outbox where site_id = $1 and type = 'feed.updated' order by seq desc limit 1",
    [siteId],
  );
  return rows[0]?.data;
}

/** Of what anybody may be shown, in whichever language and country. */
function contentOf({ settings }: Site, built: Built): string {
  const countries = built.cards.map(({ notification }) => notification.targeting.countries);
  const everywhere = built.cards.map((card) => {
    const { notification } = card;
    return {
      ...card,
      notification: { ...notification, targeting: { ...notification.targeting, countries: [] } },
    };
  });
  const otherwise = languageOf(settings) ?? undefined;
  const feeds = languagesOf(built).map((language) => ({
    ...renderFeed({ ...built, cards: everywhere }, { language, otherwise, country: null }),
    asOf: null,
  }));
  return createHash('sha256')
    .update(JSON.stringify([feeds, countries]))
    .digest('base64url')
    .slice(0, 22);
}
