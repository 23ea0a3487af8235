// Shapes of segments at the door.
import { z } from 'zod';
import { filterList } from './filters.ts';

/** Of a site, all its people's and programs' together; and of one person at a site. */
export const SEGMENTS_MAX = { site: 200, mine: 50 } as const;

const name = z.string().trim().min(1).max(100);
const filters = filterList.min(1).describe('as f= of the metrics routes: dim~op~value');
const scope = z.enum(['mine', 'site']).describe('mine: shown to who made it and to nobody else');

export const segmentShape = z
  .object({
    segmentId: z.uuid(),
    name: z.string(),
    filters: z.array(z.string()),
    stale: z
      .array(z.string())
      .describe(
        'of its filters those that name something no visit had while visits are kept: they may be misspelt, or over',
      ),
    scope,
    madeBy: z.string(),
    mayChange: z.boolean().describe('whether this caller may change and delete it'),
    version: z.int().describe('for If-Match'),
  })
  .meta({ id: 'Segment' });
export type Segment = z.output<typeof segmentShape>;

export const newSegment = z
  .object({ name, filters, scope: scope.default('site') })
  .meta({ id: 'NewSegment' });
export const segmentPatch = z
  .object({ name: name.optional(), filters: filters.optional() })
  .meta({ id: 'SegmentPatch' });
export type SegmentPatch = z.output<typeof segmentPatch>;
