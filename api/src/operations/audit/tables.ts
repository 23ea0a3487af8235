// What is kept of who did what.
import type { Tables } from '../../ground/tables.ts';

export const auditTables: Tables = {
  audit_log: {
    holds:
      'what an administrator did: ids and counts, never an address, of one that was asked about its keyed hash; and that somebody came with a wrong key, with a keyed hash of from where',
    bound: 'five lines a minute of wrong keys',
    columns: { actor: 'operator', action: 'bounded', target: 'digest', details: 'operator' },
    kept: {
      for: { years: 'AUDIT_RETENTION_YEARS' },
      since: 'at',
      why: 'accountability',
      by: 'old audit entries',
      told: 'auditLogYears',
    },
  },
};
