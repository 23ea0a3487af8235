// What mails tell about themselves: how many wait, and since when.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { reading, warning } from '../../ground/feature.ts';
import { numbersOfAll } from '../sites/across.ts';
import { PER_CLIENT_MAX, PER_SITE_MAX } from './due.ts';

const count = z.int().min(0);
const mailsShape = z.object({
  waiting: count,
  untried: count.describe('of those, queued over 15 minutes ago and never tried'),
  sentToday: count.describe('in the last 24 hours'),
});

export const mailReadings = [
  reading<{ db: Pool; sites: { ids(): string[] } }, z.output<typeof mailsShape>>({
    name: 'mails',
    shape: mailsShape,
    read: (house) =>
      numbersOfAll(
        house,
        `select count(*) filter (where sent_at is null) as waiting,
             count(*) filter (where sent_at is null and attempts = 0 and queued_at < now() - interval '15 minutes') as untried,
             count(*) filter (where sent_at > now() - interval '1 day') as "sentToday"
           from outgoing_mails where site_id = any (current_sites()) and given_up_at is null`,
      ),
    line: ({ waiting, sentToday }) =>
      waiting + sentToday === 0 ? null : `${sentToday} sent in 24 h, ${waiting} waiting`,
    rules: [
      {
        id: 'mails_waiting',
        minutes: 10,
        when: 'confirmation mails wait untried for over 15 minutes',
        check: ({ untried }) =>
          untried > 0
            ? warning(
                `${untried} confirmation mails wait: over ${PER_CLIENT_MAX} were asked for from one address in a day, or over ${PER_SITE_MAX} of a site, ` +
                  'or no mail server is set (SMTP_URL). They leave as the day allows; those of somebody who writes other people’s addresses end after 30 days',
              )
            : null,
      },
    ],
  }),
];
