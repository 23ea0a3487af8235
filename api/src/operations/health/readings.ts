// How many processes serve, and whether this one hears what the others change.
import { z } from 'zod';
import { reading } from '../../ground/feature.ts';

interface House {
  presence: { count(): number; hears(): boolean };
}

const shape = z
  .object({
    serving: z.int().min(1).describe('on this database, this one included'),
    hearing: z
      .boolean()
      .describe('whether this one hears what others change; without that it keeps no answers'),
  })
  .describe('processes of the API');

export const processesReading = reading<House, z.output<typeof shape>>({
  name: 'processes',
  shape,
  read: async ({ presence }) => ({ serving: presence.count(), hearing: presence.hears() }),
  line: ({ serving, hearing }) => {
    const told = [
      ...(serving > 1 ? [`${serving} serve`] : []),
      ...(hearing
        ? []
        : [
            'what others change is NOT HEARD (a pooler that passes no notices on?): each answer is made anew',
          ]),
    ];
    return told.join('; ') || null;
  },
});
