// What is kept of breaches.
import type { Tables } from '../../ground/tables.ts';

export const breachTables: Tables = {
  breaches: {
    holds: 'a breach of personal data: what happened, never who',
    columns: {
      title: 'found',
      description: 'found',
      data_kinds: 'operator',
      harm: 'found',
      measures: 'found',
    },
    kept: { ever: 'PIPEDA asks for 24 months, GDPR Art. 33(5) names no end' },
  },
};
