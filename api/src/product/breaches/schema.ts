// A breach as it is registered, changed and shown.
import { z } from 'zod';
import { instant, siteName, utc } from '../../ground/http/fields.ts';

const words = z.string().trim().min(1).max(10_000);
const title = z.string().trim().min(1).max(255);
const affected = 'people; how many, never who';
const fields = {
  happenedAt: instant.nullable().optional(),
  affectedCount: z.int().min(0).nullable().optional().describe(affected),
  dataKinds: z.array(z.string().trim().min(1).max(100)).max(50).optional(),
  harm: words.nullable().optional().describe('what it may do to people, and why you think so'),
  measures: words.nullable().optional(),
  authorityToldAt: instant.nullable().optional(),
  peopleToldAt: instant.nullable().optional(),
  closedAt: instant.nullable().optional(),
};

export const newBreach = z
  .object({ propertyId: siteName, title, description: words, discoveredAt: instant, ...fields })
  .meta({ id: 'NewBreach' });
export const breachPatch = z
  .object({
    title: title.optional(),
    description: words.optional(),
    discoveredAt: instant.optional(),
    ...fields,
  })
  .meta({ id: 'BreachPatch' });

export const breachShape = z
  .object({
    breachId: z.uuid(),
    siteId: z.uuid(),
    title: z.string(),
    description: z.string(),
    discoveredAt: utc,
    happenedAt: utc.nullable(),
    affectedCount: z.int().nullable().describe(affected),
    dataKinds: z.array(z.string()),
    harm: z.string().nullable(),
    measures: z.string().nullable(),
    authorityToldAt: utc.nullable(),
    peopleToldAt: utc.nullable(),
    closedAt: utc.nullable(),
    createdAt: utc,
    updatedAt: utc,
  })
  .meta({ id: 'Breach' });

export type NewBreach = Omit<z.output<typeof newBreach>, 'propertyId'>;
export type BreachPatch = z.output<typeof breachPatch>;
export type Breach = z.output<typeof breachShape>;
