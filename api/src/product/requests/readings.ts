// What the register tells about itself: what is open, and what the law's clock says of it.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { critical, reading, warning } from '../../ground/feature.ts';
import { utc } from '../../ground/http/fields.ts';
import { numbersOfAll } from '../sites/across.ts';
import type { Sites } from '../sites/recognise.ts';

interface House {
  db: Pool;
  sites: Sites;
}

const shape = z
  .object({
    open: z.int().min(0),
    overdue: z.int().min(0),
    dueSoon: z.int().min(0).describe('within seven days'),
    nextDueAt: utc.nullable(),
  })
  .describe('requests of people about their data');

export const requestReadings = [
  reading<House, z.output<typeof shape>>({
    name: 'requests',
    shape,
    read: (house) =>
      numbersOfAll(
        house,
        `select count(*)::int as open, count(*) filter (where due_at < now())::int as overdue,
           count(*) filter (where due_at between now() and now() + interval '7 days')::int as "dueSoon",
           instant_text(min(due_at)) as "nextDueAt"
         from people_requests where done_at is null`,
      ),
    line: ({ open, overdue, nextDueAt }) =>
      open === 0
        ? null
        : `${open} open, ${overdue > 0 ? `${overdue} OVERDUE` : `the next due ${nextDueAt?.slice(0, 10)}`}`,
    rules: [
      {
        id: 'requests_overdue',
        minutes: 1,
        when: 'a request of a person is past its day',
        check: ({ overdue }) =>
          overdue > 0
            ? critical(
                `${overdue} requests of people should have been answered by now: GET /v1/admin/requests`,
              )
            : null,
      },
      {
        id: 'requests_due',
        minutes: 1,
        when: 'a request of a person is due within seven days',
        check: ({ dueSoon }) =>
          dueSoon > 0
            ? warning(`${dueSoon} requests of people are due within a week: GET /v1/admin/requests`)
            : null,
      },
    ],
  }),
];
