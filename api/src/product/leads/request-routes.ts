// What people ask of the operator by telephone, by letter or at the counter: withdrawn or granted here, with its evidence.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { instant } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { dayIn } from '../../ground/lib/days.ts';
import { readAddress } from '../../ground/lib/email.ts';
import { type SiteDirectory, timeZoneOf } from '../../ground/site.ts';
import { purposesField } from '../consent/purposes.ts';
import {
  consentStandings,
  recordConsent,
  standingShape,
  type Withdrawal,
  type Withdrawn,
} from '../consent/record.ts';
import { existingText } from '../consent/texts.ts';
import { answered } from '../requests/register.ts';
import { policyVersionOf, type SenderDefaults, senderOf } from '../sites/sender.ts';
import { existingLead, linkKeyOf } from './listing.ts';
import type { LeadRow } from './shapes.ts';

export interface RequestNeeds {
  db: Pool;
  withdraw: (request: Withdrawal) => Promise<Withdrawn>;
  hashAddress: (siteId: string, normalized: string) => string;
  sites: Pick<SiteDirectory, 'find'>;
  senderDefaults: SenderDefaults;
}

const receivedAt = instant
  .transform((at) => new Date(at).toISOString())
  .refine((at) => Date.parse(at) <= Date.now(), 'is in the future')
  .describe('when the person said so');
const how = z.string().trim().min(1).max(2000).describe('evidence: by telephone, in which letter, to whom');

const withdrawalInput = z
  .object({
    receivedAt,
    how,
    purposes: purposesField.optional().describe('what no longer; default: everything'),
  })
  .meta({ id: 'WithdrawalOnRequest' });

const grantInput = z
  .object({
    receivedAt,
    how,
    purposes: purposesField.optional().describe('what for; default: email'),
    status: z.enum(['express', 'implied']),
    kind: z.enum(['implied_inquiry', 'implied_purchase']).optional().describe('of implied consent'),
    textId: z.uuid().optional().describe('a published text of the site, which was read out or shown'),
    words: z.string().trim().min(1).max(8000).optional().describe('else exactly what was agreed to'),
    language: z.string().trim().min(2).max(35).optional(),
    policyVersion: z
      .string()
      .trim()
      .min(1)
      .max(255)
      .optional()
      .describe('which policy was shown; default: of what was said today, the one in force'),
  })
  .refine(({ status, textId, words }) => status !== 'express' || textId || words, {
    path: ['words'],
    message: 'express consent needs what exactly was agreed to: words, or the textId of a published text',
  })
  .meta({ id: 'ConsentOnRequest' });

const standings = z.object({ purposes: z.array(standingShape).describe('where the lead stands now') });

export function requestRoutes({ db, withdraw, hashAddress, sites, senderDefaults }: RequestNeeds): Route[] {
  const common = { tag: 'leads', who: 'evidence', of: 'all' } as const;
  return [
    route({
      ...common,
      at: 'POST /v1/leads/:leadId/withdraw',
      id: 'tellWithdrawal',
      says: 'Withdraws for a person who asked for it otherwise than by our links',
      takes: { as: ['json'], bytesMax: 16 * 1024, shape: withdrawalInput },
      answers: { 200: standings },
      async run(input, call) {
        const lead = await existingLead(db, call);
        call.note({ details: { purposes: input.purposes ?? 'all', receivedAt: input.receivedAt } });
        const { siteId } = lead;
        await withdraw({
          site_id: siteId,
          request_id: randomUUID(),
          at: input.receivedAt,
          basis: 'admin',
          key: await inSites(db, siteId, (tx) => linkKeyOf(tx, siteId, lead.leadId)),
          purposes: input.purposes,
          reason: input.how,
        });
        await inSites(db, siteId, (tx) =>
          answered(tx, {
            siteId,
            kind: 'withdrawal',
            emailHash: hashAddress(siteId, readAddress(lead.email)!.normalized),
            receivedAt: input.receivedAt,
            how: input.how.slice(0, 500),
          }),
        );
        return standingsOf(db, lead);
      },
    }),
    route({
      ...common,
      at: 'POST /v1/leads/:leadId/consent',
      id: 'tellConsent',
      says: 'Records consent that a person gave otherwise than by a form; a withdrawal of a later moment stands',
      takes: { as: ['json'], bytesMax: 32 * 1024, shape: grantInput },
      answers: { 200: standings },
      async run({ receivedAt: at, how: evidence, textId, policyVersion, ...said }, call) {
        const lead = await existingLead(db, call);
        const { status, purposes } = said;
        call.note({ details: { status, purposes: purposes ?? ['email'], receivedAt: at } });
        const site = sites.find(lead.siteId)!;
        const isToday = dayIn(timeZoneOf(site), Date.parse(at)) === dayIn(timeZoneOf(site), call.receivedAt);
        await inSites(db, lead.siteId, async (client) => {
          if (textId) await existingText(client, lead.siteId, textId);
          await recordConsent(client, lead.siteId, lead.leadId, {
            ...said,
            basis: 'admin',
            occurred_at: at,
            evidence,
            text_id: textId,
            // another day's policy may have been another, and so may whoever asked
            policy_version: policyVersion ?? (isToday ? policyVersionOf(site) : undefined),
            sender: isToday ? senderOf(site, senderDefaults) : undefined,
          });
        });
        return standingsOf(db, lead);
      },
    }),
  ];
}

const standingsOf = (db: Pool, { siteId, leadId }: LeadRow) =>
  inSites(db, siteId, async (client) => ({ purposes: await consentStandings(client, siteId, leadId) }));
