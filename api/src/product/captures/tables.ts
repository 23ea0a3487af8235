// What is kept of what people sent.
import type { Tables } from '../../ground/tables.ts';

export const captureTables: Tables = {
  submissions: {
    holds: 'a form that was sent, and its answers',
    bound: '24 a client and minute; their answers a fortieth of the free disk a day',
    whose: 'lead',
    columns: {
      form_name: 'goes, found',
      path: 'goes, found',
      source_channel: 'goes, found',
      payload: 'goes, found',
    },
    kept: [
      { with: 'leads', why: 'it is about the lead' },
      {
        for: { months: 'PAYLOAD_RETENTION_MONTHS' },
        since: 'submitted_at',
        why: 'the answers, after a year; that the form was sent stays with the lead',
        where: 'payload is not null',
        forgets: 'payload = null',
        counted: 'payloads',
        told: 'payloadMonths',
      },
    ],
  },
  quarantine: {
    holds: 'a suspicious submission that waits for a decision; decided, only that it was',
    bound: '24 a client and minute, 240 a network; their answers a fortieth of the free disk a day',
    whose: 'address',
    columns: { email_normalized: 'goes', capture: 'goes, found', reasons: 'goes', decision: 'goes' },
    kept: {
      for: { days: 'QUARANTINE_RETENTION_DAYS' },
      since: 'coalesce(decided_at, received_at)',
      why: 'who did not look in a month will not',
      counted: 'quarantined',
      told: 'quarantineDays',
    },
  },
};
