// What is kept of mails.
import type { Tables } from '../../ground/tables.ts';

export const mailTables: Tables = {
  outgoing_mails: {
    holds: 'a mail to a lead that waits, was sent or given up; its words are made when it is sent',
    whose: 'lead',
    bound: 'five a lead and day; sent, 100 a client and 2000 a site and day',
    columns: { kind: 'goes', last_error: 'goes', asked_by: 'goes' },
    kept: [
      { with: 'leads', why: 'it is about the lead' },
      {
        for: { days: 30 },
        since: 'coalesce(sent_at, given_up_at)',
        why: 'for looking into what was sent',
        counted: 'mails',
      },
    ],
  },
};
