// What captures tell about themselves: whether anything people sent still waits beside the database, or could not be stored.
import { z } from 'zod';
import { critical, reading } from '../../ground/feature.ts';
import { utc } from '../../ground/http/fields.ts';
import type { Journal } from './journal.ts';

interface House {
  leads: { journal: Pick<Journal, 'waitingSince' | 'setAside'> };
}

const shape = z
  .object({
    waitingSince: utc
      .nullable()
      .describe('since when the oldest entry waits for the database; null: none does'),
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
      waitingSince: journal.waitingSince?.toISOString() ?? null,
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
  ],
});
