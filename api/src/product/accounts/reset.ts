// A new password by mail, or by a link that the machine gave. Who asks learns nothing; all sessions end; a second factor stays.
import type { Call } from '../../ground/http/call.ts';
import type { Address } from '../../ground/lib/email.ts';
import { type Accounts, namesHere } from './accounts.ts';
import { noteAuth } from './events.ts';
import { inAccounts } from './in-accounts.ts';
import { useLink } from './link-queries.ts';
import { addressOf, liveLink, makeResetLink, spent } from './links.ts';
import { refuseCommon } from './passwords.ts';
import { findUser, findUserByIndex, setPassword } from './queries.ts';
import { hashOf } from './secrets.ts';
import { endSessions } from './session-queries.ts';

/** After the answer has left, which is the same for every address. Three mails an hour at most for one account. */
export async function askReset(accounts: Accounts, call: Call, { normalized }: Address): Promise<void> {
  const { db, post, guard } = accounts;
  const emailIndex = accounts.vault().indexOf(normalized);
  if (!guard.mayMail(emailIndex.toString('base64url'))) return;
  await inAccounts(db, async (tx) => {
    const user = await findUserByIndex(tx, emailIndex);
    if (!user || user.disabledAt || !post.isConfigured) return;
    const { userId } = user;
    const token = await makeResetLink(tx, userId, 'nobody');
    await noteAuth(tx, { kind: 'reset_asked', userId, actor: 'nobody', requestId: call.id });
    await post.tell(tx, user, 'reset', addressOf(accounts.publicUrl, 'reset', token));
  });
}

/** throws  not_found for a spent link, invalid_request for a common password */
export async function resetPassword(
  accounts: Accounts,
  call: Call,
  given: { resetToken: string; newPassword: string },
): Promise<void> {
  const { db } = accounts;
  await inAccounts(db, (tx) => liveLink(tx, given.resetToken, ['reset']));
  refuseCommon(given.newPassword, namesHere(accounts), 'newPassword');
  const phc = await accounts.hasher().hash(given.newPassword);
  await inAccounts(db, async (tx) => {
    const link = await useLink(tx, hashOf(given.resetToken), ['reset']);
    const user = link?.userId ? await findUser(tx, link.userId, true) : null;
    if (!link || !user || user.disabledAt) throw spent();
    const { userId } = user;
    await setPassword(tx, userId, phc);
    await endSessions(tx, userId);
    await noteAuth(tx, { kind: 'password_reset', userId, requestId: call.id });
    await accounts.post.tell(tx, user, 'password_changed');
  });
}
