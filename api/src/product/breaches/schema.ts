// A breach as it is registered, changed and shown.
import { z } from 'zod';
import { instant, openRecord, siteName, utc } from '../../ground/http/fields.ts';

const words = z.string().trim().min(1).max(10_000);
const title = z.string().trim().min(1).max(255);
const affected = 'people; how many, never who';
const notice = z
  .object({
    who: z.string().trim().min(1).max(100).describe('OPC, CAI, a data protection authority, an insurer …'),
    toldAt: instant,
    reference: z.string().trim().min(1).max(200).optional().describe('of their file'),
  })
  .meta({ id: 'BreachNotice' });
const fields = {
  happenedAt: instant.nullable().optional(),
  affectedCount: z.int().min(0).nullable().optional().describe(affected),
  dataKinds: z.array(z.string().trim().min(1).max(100)).max(50).optional(),
  harm: words.nullable().optional().describe('what it may do to people, and why you think so'),
  measures: words.nullable().optional(),
  realRisk: z
    .boolean()
    .nullable()
    .optional()
    .describe(
      'of significant harm to people (RROSH), or to their rights and freedoms; null: not decided yet',
    ),
  realRiskWhy: words
    .nullable()
    .optional()
    .describe('how sensitive, how likely misused: why it is decided so'),
  quebecCount: z.int().min(0).nullable().optional().describe('of the affected, how many live in Quebec'),
  notices: z
    .array(notice)
    .max(50)
    .optional()
    .describe('who was told beside the people: each authority with its own day'),
  authorities: z
    .array(z.string().trim().min(1).max(100))
    .max(20)
    .nullable()
    .optional()
    .describe('which must be told, as notices call them: OPC, CAI …; []: none; null: not decided yet'),
  tellPeople: z
    .boolean()
    .nullable()
    .optional()
    .describe('whether the people must be told; null: not decided yet'),
  tellPeopleWhy: words.nullable().optional(),
  authorityToldAt: instant
    .nullable()
    .optional()
    .describe('where there is one authority and authorities names none'),
  peopleToldAt: instant.nullable().optional(),
  closedAt: instant.nullable().optional(),
};

export const newBreach = z
  .object({
    propertyId: siteName.describe('the one site that it concerns; without it, every site of the caller'),
    title,
    description: words,
    discoveredAt: instant,
    ...fields,
  })
  .meta({ id: 'NewBreach' });
export const breachPatch = z
  .object({
    title: title.optional(),
    description: words.optional(),
    discoveredAt: instant.optional(),
    ...fields,
  })
  .refine(
    (patch) => Object.values(patch).some((value) => value !== undefined),
    'changes nothing that is kept of a breach',
  )
  .meta({ id: 'BreachPatch' });

export const breachShape = z
  .object({
    breachId: z.uuid(),
    siteId: z.uuid().describe('of those that it concerns, the first that you may see'),
    siteCount: z.int().min(1).describe('how many sites it concerns'),
    title: z.string(),
    description: z.string(),
    discoveredAt: utc,
    happenedAt: utc.nullable(),
    affectedCount: z.int().nullable().describe(affected),
    dataKinds: z.array(z.string()),
    harm: z.string().nullable(),
    measures: z.string().nullable(),
    realRisk: z.boolean().nullable(),
    realRiskWhy: z.string().nullable(),
    quebecCount: z.int().nullable(),
    notices: z.array(notice),
    authorities: z.array(z.string()).nullable(),
    tellPeople: z.boolean().nullable(),
    tellPeopleWhy: z.string().nullable(),
    authorityToldAt: utc.nullable(),
    peopleToldAt: utc.nullable(),
    closedAt: utc.nullable(),
    createdAt: utc,
    updatedAt: utc,
  })
  .meta({ id: 'Breach' });

export const breachChange = z
  .object({ changedAt: utc, before: openRecord.describe('of what was changed, what it said until then') })
  .meta({ id: 'BreachChange' });
export type BreachChange = z.output<typeof breachChange>;

export type NewBreach = Omit<z.output<typeof newBreach>, 'propertyId'>;
export type BreachPatch = z.output<typeof breachPatch>;
export type Breach = z.output<typeof breachShape>;
