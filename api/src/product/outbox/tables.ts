// What is kept of the outbox.
import type { Tables } from '../../ground/tables.ts';

export const outboxTables: Tables = {
  outbox_heads: {
    holds: 'how many things a site’s outbox told, and until when anybody wants to be told',
    columns: {},
    kept: { ever: 'a row a site' },
  },
  outbox: {
    holds: 'what happened, for other systems to be told: a lead or a conversion by its id',
    whose: 'lead or visitor',
    bound: '10 000 a site',
    columns: { type: 'bounded', data: 'goes, found' },
    kept: [
      { with: 'leads', why: 'it is about the lead' },
      {
        for: { days: 1 },
        since: 'at',
        why: 'whoever was away for a day reads everything anew',
      },
    ],
  },
};
