// What the tests that run add to a site's feed: their wordings, and which part of the visitors sees which.
import type { Db } from '../../ground/db/pool.ts';
import type { FeedTest } from '../proof/feed-shape.ts';
import { type Split, sharesOf } from './arm.ts';

interface Row {
  testId: string;
  notificationId: string;
  split: Split;
  chosen: string | null;
  variants: {
    key: string;
    texts: FeedTest['variants'][number]['texts'] | null;
    templateId: string | null;
    trigger: FeedTest['variants'][number]['trigger'] | null;
  }[];
}

/** Inside a transaction of inSites. Whoever takes part in no test sees the first wording; of a decided one, the chosen. */
export async function feedTests(db: Db, siteId: string): Promise<FeedTest[]> {
  const { rows } = await db.query<Row>(
    `select t.test_id as "testId", t.notification_id as "notificationId", t.split, t.chosen,
       json_agg(json_build_object('key', v.key, 'texts', v.texts, 'templateId', v.template_id, 'trigger', v.trigger) order by v.key is distinct from t.chosen, v.place) as variants
     from ab_tests t join ab_variants v using (test_id) where t.site_id = $1 and t.status = 'running'
     group by t.test_id order by t.test_id`,
    [siteId],
  );
  return rows.map(({ testId, notificationId, split, chosen, variants }) => ({
    testId,
    notificationId,
    split: sharesOf(split),
    variants: variants
      .filter(({ key }) => chosen === null || key === chosen)
      .map(({ key, texts, templateId, trigger }) => ({
        key,
        ...(texts ? { texts } : {}),
        ...(templateId ? { templateId } : {}),
        ...(trigger ? { trigger } : {}),
      })),
  }));
}
