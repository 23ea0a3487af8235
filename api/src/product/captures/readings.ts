// What captures tell about themselves: whether anything people sent still waits beside the database, or could not be stored.
import { z } from 'zod';
import { critical, reading } from '../../ground/feature.ts';
import { utc } from '../../ground/http/fields.ts';
import type { Journal } from './journal.ts';

/** How long an entry may wait that the database, which answers, should have by now. */
const WAIT_MS_MAX = 15 * 60_000;

interface House {
  leads: { journal: Pick<Journal, 'oldest' | 'setAside'> };
}

const shape = z
  .object({
    waitingSince: utc
      .nullable()
      .describe('since when the oldest entry of all processes waits for the database; null: none does'),
    failed: z.int().min(0).describe('entries that could not be stored as they are'),
    failedAt: utc.nullable().describe('when the last one was set aside'),
  })
  .describe('what people, and shops of them, sent and the database does not have yet');

export const journalReading = reading<House, z.output<typeof shape>>({
  name: 'journal',
  shape,
  async read({ leads: { journal } }) {
    const { count, at } = await journal.setAside();
    return {
      waitingSince: (await journal.oldest())?.toISOString() ?? null,
      failed: count,
      failedAt: at?.toISOString() ?? null,
    };
  },
  line: ({ waitingSince, failed }) => {
    const told = [
      ...(waitingSince ? [`entries wait since ${waitingSince}`] : []),
      ...(failed > 0 ? [`${failed} COULD NOT BE STORED; marketing journal retry tries again`] : []),
    ];
    return told.join('; ') || null;
  },
  rules: [
    {
      id: 'journal_failed',
      minutes: 1,
      when: 'something a person or a shop sent could not be stored and lies beside the journal',
      check: ({ failed }) =>
        failed > 0
          ? critical(
              `${failed} leads, unsubscribes, confirmations or orders of a shop were taken and could not be stored; the log says why. After an upgrade that mends it: docker compose exec api marketing journal retry`,
            )
          : null,
    },
    {
      id: 'journal_waiting',
      // after a long time without its database all of the journal is old at once; playing it takes a while
      minutes: 5,
      when: 'the database answers, and the oldest entry of a journal waits for longer than 15 minutes',
      check: ({ waitingSince }, { database }) => {
        const answers = (database as { ok?: boolean } | null | undefined)?.ok === true;
        if (!answers || waitingSince === null) return null;
        if (Date.now() - Date.parse(waitingSince) <= WAIT_MS_MAX) return null;
        return critical(
          `What a person or a shop sent at ${waitingSince} lies in the journal and could not be stored since, although the database answers. It is kept and tried again; the log says why: scripts/logs api --tail all | grep 'journal entries could not be stored'`,
        );
      },
    },
  ],
});
