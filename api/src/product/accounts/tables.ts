// What is kept of people who sign in. Their rows go when they delete their account (leave.ts), not with a lead's erasure.
import type { Tables } from '../../ground/tables.ts';

const withUser = { with: 'users', why: 'it is of that user' } as const;

export const accountTables: Tables = {
  encryption_keys: {
    holds: 'a key of the personal data of users, itself sealed under ACCOUNT_KEYS, which is in no backup',
    columns: { purpose: 'bounded', wrapped: 'digest', wrapped_by: 'digest' },
    kept: { job: 'account_keys', why: 'goes when nothing is sealed with it any more' },
  },
  users: {
    holds: 'somebody who may sign in: address and name sealed, the password as argon2id',
    whose: 'user',
    columns: {
      email_encrypted: 'sealed',
      email_index: 'digest',
      full_name_encrypted: 'sealed',
      password_phc: 'digest',
      language: 'bounded',
      time_zone: 'bounded',
    },
    kept: { ever: 'until they or an owner delete the account' },
  },
  site_grants: {
    holds: 'what somebody is at a site',
    whose: 'user',
    columns: { role: 'bounded', granted_by: 'operator' },
    kept: withUser,
  },
  user_factors: {
    holds: 'a second factor: the secret of time-based codes, sealed, or a recovery code as its hash',
    whose: 'user',
    columns: { kind: 'bounded', secret_encrypted: 'sealed', secret_hash: 'digest' },
    kept: withUser,
  },
  passkeys: {
    holds: 'a passkey: its public key, and the name that its person gave it',
    whose: 'user',
    columns: { credential_id: 'digest', public_key: 'digest', transports: 'bounded', name: 'operator' },
    kept: withUser,
  },
  user_identities: {
    holds: 'that another provider signs somebody in: its name for them as a hash',
    whose: 'user',
    columns: { identity_index: 'digest', issuer: 'operator' },
    kept: withUser,
  },
  user_sessions: {
    holds: 'where somebody is signed in: browser and system in words, the cookie as a hash; in no backup',
    whose: 'user',
    columns: { kind: 'bounded', token_hash: 'digest', device: 'bounded' },
    kept: [withUser, { for: { days: 30 }, since: 'expires_at', why: 'nobody ended it', by: 'old sessions' }],
  },
  used_refresh_tokens: {
    holds:
      'a refresh token of a program that was used, as a hash: who brings it again ends the session; in no backup',
    columns: { token_hash: 'digest' },
    kept: { with: 'user_sessions', why: 'it is of that session' },
  },
  account_mails: {
    holds:
      'a mail about an account that no mail server has taken yet: its address and link sealed; in no backup',
    whose: 'user',
    columns: { kind: 'bounded', language: 'bounded', sealed: 'sealed' },
    kept: { job: 'account_mails', why: 'goes when it was taken, was refused for good, or is a day old' },
  },
  one_time_links: {
    holds:
      'a link to set up, join or choose a new password: as a hash; an invited address sealed; in no backup',
    whose: 'user',
    columns: {
      kind: 'bounded',
      token_hash: 'digest',
      role: 'bounded',
      email_encrypted: 'sealed',
      made_by: 'operator',
    },
    kept: [
      withUser,
      { for: { days: 1 }, since: 'expires_at', why: 'it opens nothing any more', by: 'old links' },
    ],
  },
  auth_events: {
    holds:
      'a sign-in, a try at one or at the password of a shared view, or a change of how somebody proves who they are: an id and a method, never an address',
    columns: {
      kind: 'bounded',
      outcome: 'bounded',
      method: 'bounded',
      actor: 'operator',
    },
    kept: [
      { for: { years: 7 }, since: 'at', why: 'accountability', by: 'old sign-ins' },
      {
        for: { days: 90 },
        since: 'at',
        where: "outcome = 'failed'",
        why: 'for looking into who tried',
        by: 'failed sign-ins',
      },
    ],
  },
};
