// What a test needs of the notification it is about: its kind, so that its wordings keep to the same rules.
import type { Db } from '../../ground/db/pool.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { findNotification } from './queries.ts';
import { templateExists } from './template-queries.ts';
import { checkTexts, type Texts } from './texts.ts';
import { unknownNotification } from './unknown.ts';

/**
 * Holds the notification until the transaction ends.
 * throws  not_found; conflict, when it is over; invalid_request or unbacked_claim, when a wording of it could not be shown
 */
export async function checkTestable(
  db: Db,
  siteId: string,
  notificationId: string,
  wordings: readonly { texts?: Texts | null | undefined; templateId?: string | null | undefined }[],
): Promise<void> {
  const one = await findNotification(db, siteId, notificationId, true);
  if (!one) throw unknownNotification();
  if (one.status === 'ended') throw new AppError('conflict', 'It has ended: nothing of it can be tested.');
  // held too: what it looks like is part of what is compared
  if (one.templateId) await templateExists(db, siteId, one.templateId);
  for (const [i, { texts, templateId }] of wordings.entries()) {
    if (texts) checkTexts(one.kind, texts, one.link);
    if (templateId && !(await templateExists(db, siteId, templateId)))
      throw new AppError('invalid_request', 'This site has no template with this id.', {
        issues: [{ path: `variants.${i}.templateId`, message: 'is not known' }],
      });
  }
}
