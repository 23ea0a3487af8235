// Shapes of shared views at the door.
import { z } from 'zod';
import { instant, utc } from '../../ground/http/fields.ts';
import { VIEWS, type View } from '../../ground/http/route.ts';

const views = z.array(z.enum(VIEWS)).describe('reports, by the last part of their path under /v1/metrics/');

export const FRAMERS_MAX = 5;
/** As a policy may name it: no wildcard, and nothing in it that ends or divides a policy. */
const FRAMER =
  /^(?:https:\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)*|http:\/\/(?:(?:[a-z0-9-]+\.)*localhost|127\.0\.0\.1))(?::\d{1,5})?$/;
const framer = z
  .string()
  .trim()
  .refine(
    (value) => FRAMER.test(value) && URL.canParse(value) && new URL(value).origin === value,
    'an origin such as https://www.example.com: https (http only for localhost), without a path or a wildcard',
  );

export const shareShape = z
  .object({
    shareId: z.uuid(),
    siteId: z.uuid(),
    name: z.string(),
    views,
    hasPassword: z.boolean(),
    hideMoney: z.boolean(),
    segmentId: z.uuid().nullable().describe('only visits of this segment are shown; null: all'),
    embed: z.array(z.string()).describe('origins whose pages may frame it'),
    madeBy: z.string(),
    createdAt: utc,
    expiresAt: utc,
    lastUsedOn: z.iso.date().nullable().describe('a UTC day'),
    revokedAt: utc.nullable(),
  })
  .meta({ id: 'Share' });
export type Share = z.output<typeof shareShape>;

/** What whoever has the link is told of it. */
export const sharedShape = z
  .object({
    shareId: z.uuid(),
    name: z.string(),
    views,
    hideMoney: z.boolean(),
    expiresAt: utc,
    site: z.object({ key: z.string(), name: z.string(), timeZone: z.string() }),
  })
  .meta({ id: 'SharedView' });

/** Views that can be asked of some visits only. */
export const SELECTING: readonly View[] = ['page', 'summary', 'timeseries', 'breakdown'];

export const newShare = z
  .object({
    name: z.string().trim().min(1).max(200).describe('whom it is for, such as "the board"'),
    views: views
      .min(1)
      .max(VIEWS.length)
      .optional()
      .describe('reports, by the last part of their path under /v1/metrics/; default: all that can be shown'),
    password: z
      .string()
      .min(8)
      .max(256)
      .optional()
      .describe('asked for beside the link; tell it by another way than the link'),
    hideMoney: z.boolean().default(false).describe('no spend, no cost per lead, no revenue'),
    segmentId: z
      .uuid()
      .optional()
      .describe(`a segment of the site: only its visits are shown, by ${SELECTING.join(', ')}`),
    embed: z
      .array(framer)
      .max(FRAMERS_MAX)
      .default([])
      .describe('origins whose pages may show it in a frame; none: it stands in no frame'),
    expiresAt: instant.optional().describe('at most a year from now; default: 30 days'),
  })
  .meta({ id: 'NewShare' });
