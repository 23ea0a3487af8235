// What is kept of breaches.
import type { Tables } from '../../ground/tables.ts';

export const breachTables: Tables = {
  breaches: {
    holds: 'a breach of personal data, at each site that it concerns: what happened, never who',
    columns: {
      title: 'found',
      description: 'found',
      data_kinds: 'operator',
      harm: 'found',
      measures: 'found',
      real_risk_why: 'found',
      notices: 'found',
      authorities: 'operator',
      tell_people_why: 'found',
    },
    kept: { ever: 'PIPEDA asks for 24 months, GDPR Art. 33(5) names no end' },
  },
  breach_changes: {
    holds: 'what the entry of a breach said before each change',
    columns: { before: 'found' },
    kept: { ever: 'it is evidence of what was known when, as the entry itself' },
  },
};
