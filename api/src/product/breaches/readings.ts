// What the register of breaches tells about itself: GDPR gives 72 hours to tell the authority, or to decide that there is no risk.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { critical, reading, warning } from '../../ground/feature.ts';
import { utc } from '../../ground/http/fields.ts';
import { numbersOfAll } from '../sites/across.ts';
import type { Sites } from '../sites/recognise.ts';
import { UNTOLD } from './queries.ts';

interface House {
  db: Pool;
  sites: Sites;
}

const shape = z
  .object({
    open: z.int().min(0),
    untold: z
      .int()
      .min(0)
      .describe(
        'an authority or the people not told, nor decided that they need not be, nor that the risk is not real',
      ),
    tellBy: utc.nullable().describe('72 hours after the first of those was discovered'),
    late: z.boolean(),
  })
  .describe('breaches of personal data');

export const breachReadings = [
  reading<House, z.output<typeof shape>>({
    name: 'breaches',
    shape,
    read: (house) =>
      numbersOfAll(
        house,
        `select count(*)::int as open, count(*) filter (where untold)::int as untold, instant_text(min(tell_by) filter (where untold)) as "tellBy",
           coalesce(bool_or(untold and tell_by < now()), false) as late
         from (select ${UNTOLD} as untold,
           discovered_at + interval '72 hours' as tell_by from (select distinct on (breach_id) * from breaches where closed_at is null) one) b`,
      ),
    line: ({ open, untold, tellBy }) =>
      open === 0 ? null : `${open} open${untold > 0 ? `, ${untold} NOT TOLD: 72 hours end ${tellBy}` : ''}`,
    rules: [
      {
        id: 'breach_untold',
        minutes: 1,
        when: 'of an open breach an authority, or the people, were not told, and no decision says that they need not be',
        check: ({ untold, tellBy, late }) =>
          untold === 0
            ? null
            : (late ? critical : warning)(
                `${untold} breaches are not told to everybody who must know; GDPR's 72 hours end ${tellBy}. Decide realRisk, authorities and tellPeople, enter each notice and peopleToldAt: PATCH /v1/admin/breaches/{breachId}`,
              ),
      },
    ],
  }),
];
