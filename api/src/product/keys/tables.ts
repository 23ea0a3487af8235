// What is kept of keys.
import type { Tables } from '../../ground/tables.ts';

export const keyTables: Tables = {
  api_keys: {
    holds: 'a key of a program: what for, for which sites, until when; its secret only as a hash',
    columns: {
      name: 'operator',
      secret_hash: 'digest',
      scopes: 'bounded',
      made_by: 'operator',
    },
    kept: {
      for: { years: 1 },
      since: 'coalesce(revoked_at, expires_at)',
      why: 'for looking into what a key did, after it ended',
      by: 'ended keys',
    },
  },
};
