// What is kept of shared views.
import type { Tables } from '../../ground/tables.ts';

export const shareTables: Tables = {
  shares: {
    holds:
      'a link to some numbers of a site: for whom, until when, on whose pages it may be framed; its token as a hash, its password as argon2id',
    columns: {
      name: 'operator',
      token_hash: 'digest',
      views: 'bounded',
      password_phc: 'digest',
      embed: 'operator',
      made_by: 'operator',
    },
    kept: {
      for: { years: 1 },
      since: 'coalesce(revoked_at, expires_at)',
      why: 'for looking into who could see what, after it ended',
      by: 'ended shares',
    },
  },
};
