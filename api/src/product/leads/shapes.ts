// A lead and everything that belongs to one, as administrators see it; an export of a subject holds the same.
import { z } from 'zod';
import { openRecord, utc } from '../../ground/http/fields.ts';
import { consentRecordShape, consentStatus, standingShape } from '../consent/record.ts';

export const domainClass = z.enum(['free_mail', 'business', 'disposable']);

const utm = z
  .object({
    source: z.string().optional(),
    medium: z.string().optional(),
    campaign: z.string().optional(),
    term: z.string().optional(),
    content: z.string().optional(),
  })
  .meta({ id: 'StoredUtm' });
const source = z.string().describe('class of the traffic source, or import');

export const leadShape = z
  .object({
    leadId: z.uuid(),
    email: z.string().describe('a***@e***.com for who may not see who it is'),
    emailDomain: z.string(),
    domainClass,
    firstCapturedAt: utc,
    lastSubmittedAt: utc,
    firstSource: source,
    firstUtm: utm.nullable(),
    firstPath: z.string().nullable(),
    firstReferrer: z.string().nullable(),
    firstFormName: z.string().nullable(),
    sourceChannel: z.string().nullable(),
    firstVisitorId: z.uuid().nullable(),
    privacySignal: z.boolean(),
    noProfiling: z.boolean().describe('objected to it: tied to no browser'),
    restricted: z
      .boolean()
      .describe('kept and nothing else: in no export but those of withdrawnSince, no mail'),
    attributes: openRecord
      .nullable()
      .describe('values of the site’s custom fields, and further columns of an import'),
    verifiedAt: utc.nullable(),
    consentStatus,
    consentAt: utc.nullable(),
    consentExpiresAt: utc.nullable(),
    importedAt: utc.nullable(),
    siteId: z.uuid(),
  })
  .meta({ id: 'Lead' });
export const listedShape = leadShape
  .extend({
    unsubscribeUrl: z.string().nullable().describe('belongs into every mail; null: masked'),
    standing: standingShape.describe('for the purpose that was asked for, else email'),
    endedAt: utc
      .nullable()
      .describe(
        'since when one may no longer write to them, or not for that purpose: left, ran out, restricted, or by the site’s impliedConsent; null: one may, or never might',
      ),
  })
  .meta({ id: 'ListedLead' });
export type LeadRow = z.output<typeof leadShape>;

const identityShape = z
  .object({
    identityId: z.uuid(),
    visitorId: z.uuid(),
    linkSource: z.enum(['form_submit', 'same_ip_ua_window', 'manual_merge']),
    confidence: z.number(),
    linkedAt: utc,
    unlinkedAt: utc.nullable().describe('null: active'),
  })
  .meta({ id: 'LeadIdentity' });

export const sessionShape = z
  .object({
    sessionId: z.uuid(),
    visitorId: z.uuid(),
    startedAt: utc,
    lastActivityAt: utc,
    landingPath: z.string(),
    referrer: z.string().nullable(),
    source,
    utm: utm.nullable(),
    deviceType: z.enum(['desktop', 'mobile', 'tablet', 'tv', 'console', 'bot', 'unknown']),
    browser: z.string().nullable(),
    os: z.string().nullable(),
    country: z.string().nullable(),
  })
  .meta({ id: 'LeadSession' });

export const eventShape = z
  .object({
    eventId: z.guid(),
    visitorId: z.uuid(),
    sessionId: z.uuid(),
    eventType: z.string(),
    path: z.string(),
    referrer: z.string().nullable(),
    utm: utm.nullable(),
    props: openRecord.nullable(),
    occurredAt: utc,
    botReason: z.string().nullable().describe('null: human'),
  })
  .meta({ id: 'LeadEvent' });

const submissionShape = z
  .object({
    submissionId: z.uuid(),
    eventId: z.guid().nullable(),
    formName: z.string(),
    path: z.string().nullable(),
    sourceChannel: z.string().nullable(),
    payload: openRecord.nullable(),
    submittedAt: utc,
    spamScore: z.number(),
  })
  .meta({ id: 'Submission' });

const leadConversionShape = z
  .object({
    conversionId: z.string(),
    kind: z.enum(['signup', 'activation', 'purchase', 'email_verify']),
    origin: z.enum(['server', 'browser']),
    visitorId: z.uuid().nullable(),
    occurredAt: utc,
    amount: z.number().nullable(),
    currency: z.string().nullable(),
  })
  .meta({ id: 'LeadConversion' });

/** Everything that belongs to a lead. */
const belongings = {
  identities: z.array(identityShape),
  sessions: z.array(sessionShape),
  events: z.array(eventShape),
  submissions: z.array(submissionShape),
  consents: z.array(consentRecordShape),
  conversions: z.array(leadConversionShape),
};
export const timelineShape = z.object({
  ...belongings,
  cut: z
    .array(z.enum(Object.keys(belongings) as [keyof typeof belongings]))
    .describe(
      'lists that hold more than their newest 500 rows or 512 KB, which are shown; POST /v1/leads/export-subject has all',
    ),
});
export type Timeline = z.output<typeof timelineShape>;
