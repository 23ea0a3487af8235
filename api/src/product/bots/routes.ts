// Verdicts about bots: POST and GET /v1/admin/bots.
import { z } from 'zod';
import type { Config } from '../../config.ts';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { anonId, nextCursor, pageOf, paging, readCursor, siteName, utc } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { visitorIdOf } from '../events/enrich.ts';
import { judge } from './verdicts.ts';

const verdict = z
  .object({
    visitorId: z.uuid().optional(),
    anonId: anonId.optional(),
    bot: z.boolean().describe('true: a bot, or staff; false: human after all'),
    kind: z
      .enum(['bot', 'staff'])
      .default('bot')
      .describe('staff: one of the site’s own people, or a test; kept apart like bots, told as staffEvents'),
    propertyId: siteName,
  })
  .refine((given) => (given.visitorId === undefined) !== (given.anonId === undefined), {
    path: ['visitorId'],
    message: 'give either visitorId or anonId',
  })
  .meta({ id: 'NewBotVerdict' });

const REASONS = { bot: 'admin', staff: 'staff' } as const;

const verdictShape = z
  .object({
    visitorId: z.uuid(),
    botReason: z.string().nullable(),
    judgedBy: z.enum(['admin', 'pattern']),
    judgedAt: utc,
    events: z.int(),
  })
  .meta({ id: 'BotVerdict' });
interface Row extends z.output<typeof verdictShape> {
  verdictId: string;
}

export function botRoutes({ db, config }: { db: Pool; config: Config }): Route[] {
  return [
    route({
      at: 'POST /v1/admin/bots',
      id: 'judgeVisitor',
      says: 'Says that a visitor is a bot or staff, or is not; the days are counted again within a minute',
      tag: 'bots',
      who: 'settings',
      of: 'named',
      takes: { as: ['json'], bytesMax: 16 * 1024, shape: verdict },
      answers: { 200: z.object({ visitorId: z.uuid(), events: z.int(), days: z.array(z.string()) }) },
      async run({ visitorId, anonId: browser, bot, kind }, call) {
        const { siteId } = call.site;
        const visitor = visitorId ?? visitorIdOf(siteId, browser!);
        const judged = await inSites(db, siteId, (client) =>
          judge(
            client,
            siteId,
            [visitor],
            bot ? REASONS[kind] : null,
            'admin',
            config.SESSION_INACTIVITY_MINUTES,
          ),
        );
        call.note({ target: visitor, details: bot ? { bot, kind } : { bot } });
        return { visitorId: visitor, ...judged };
      },
    }),
    route({
      at: 'GET /v1/admin/bots',
      id: 'listBotVerdicts',
      says: 'Verdicts, newest first',
      tag: 'bots',
      who: 'settings',
      of: 'named',
      takes: { as: 'query', shape: z.object({ propertyId: siteName, ...paging(100, 500) }) },
      answers: { 200: z.object({ verdicts: z.array(verdictShape), nextCursor }) },
      async run({ limit, cursor }, call) {
        const { siteId } = call.site;
        const after = readCursor(cursor, z.tuple([z.uuid()]));
        const { rows } = await inSites(db, siteId, (client) =>
          client.query<Row>(
            `select verdict_id as "verdictId", visitor_id as "visitorId", bot_reason as "botReason",
               judged_by as "judgedBy", instant_text(judged_at) as "judgedAt", events
             from bot_verdicts where site_id = $1 and ($2::uuid is null or verdict_id < $2)
             order by verdict_id desc limit $3`,
            [siteId, after?.[0] ?? null, limit + 1],
          ),
        );
        const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.verdictId]);
        return { verdicts: page.map(({ verdictId: _, ...told }) => told), nextCursor: next };
      },
    }),
  ];
}
