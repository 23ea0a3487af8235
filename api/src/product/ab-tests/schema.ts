// Shapes of A/B tests at the door.
import { z } from 'zod';
import { utc } from '../../ground/http/fields.ts';
import { triggerShape } from '../notifications/schema.ts';

export const VARIANTS_MAX = 4;

const key = z
  .string()
  .regex(/^[a-z0-9_-]{1,32}$/, 'small letters, digits, - and _; at most 32')
  .refine((name) => name !== 'control', 'is a name of ours');
const texts = z
  .record(z.string().max(35), z.record(z.string().max(10), z.string().trim().min(1).max(200)))
  .refine((all) => Object.keys(all).length >= 1 && Object.keys(all).length <= 8, 'one to eight languages');

const GOALS = ['leads', 'signups', 'activations', 'purchases', 'page_views'] as const;
const goal = z
  .strictObject({
    of: z
      .union([z.enum(GOALS), z.string().regex(/^event:[a-z0-9_:.-]{1,64}$/)])
      .describe('what a person does for it: leads, purchases …, page_views of a path, or event:TYPE'),
    where: z
      .strictObject({
        path: z
          .string()
          .max(200)
          .regex(/^\/[^\s?#*]*$/, 'one path')
          .optional()
          .describe('of page_views, leads and events'),
      })
      .default({}),
    withinDays: z.int().min(1).max(28).default(7).describe('after the first exposure'),
  })
  .refine(({ of, where }) => of !== 'page_views' || where.path !== undefined, {
    path: ['where', 'path'],
    message: 'page_views are a goal of one path',
  })
  .refine(({ of, where }) => where.path === undefined || !/^(signups|activations|purchases)$/.test(of), {
    path: ['where', 'path'],
    message: 'these happen on no page',
  })
  .meta({ id: 'AbGoal' });
export type Goal = z.output<typeof goal>;

const share = z.number().gt(0).lt(1);
const newVariant = z
  .strictObject({
    key,
    share: share.optional().describe('of all visitors; none given: what control leaves, in equal parts'),
    texts: texts.optional().describe("left out: the notification's own"),
    templateId: z.uuid().optional().describe("left out: the notification's own"),
    trigger: triggerShape.optional().describe("when its card comes; left out: the notification's own"),
  })
  .meta({ id: 'NewAbVariant' });

export const newTest = z
  .strictObject({
    notificationId: z.uuid(),
    variants: z.array(newVariant).min(1).max(VARIANTS_MAX),
    controlShare: z.number().min(0.1).max(0.9).default(0.5).describe('who is shown nothing'),
    goal,
    minDays: z.int().min(1).max(84).default(14).describe('in whole weeks: no "better" before'),
    maxDays: z.int().min(7).max(84).default(56),
    winner: z
      .enum(['manual', 'automatic'])
      .default('manual')
      .describe('automatic: who is better gets 90 %, control keeps 10 %'),
    stopUnproven: z
      .boolean()
      .default(false)
      .describe('after maxDays without a verdict the notification pauses'),
  })
  .meta({ id: 'NewAbTest' });
export type NewTest = z.output<typeof newTest>;

export const VERDICTS = ['undecided', 'better', 'harmful', 'inconclusive', 'invalid'] as const;
export type Verdict = (typeof VERDICTS)[number];

const variant = z.object({
  key: z.string(),
  share: z.number(),
  texts: texts.nullable(),
  templateId: z.uuid().nullable(),
  trigger: triggerShape.nullable(),
});
export const testShape = z
  .object({
    testId: z.uuid(),
    notificationId: z.uuid(),
    status: z.enum(['draft', 'running', 'ended']),
    variants: z.array(variant),
    controlShare: z.number(),
    goal,
    minDays: z.int(),
    maxDays: z.int(),
    winner: z.enum(['manual', 'automatic']),
    stopUnproven: z.boolean(),
    verdict: z.enum(VERDICTS),
    chosen: z.string().nullable().describe('the variant that everybody but a tenth gets since decidedAt'),
    createdAt: utc,
    startedAt: utc.nullable(),
    decidedAt: utc.nullable(),
    endedAt: utc.nullable(),
  })
  .meta({ id: 'AbTest' });
export type AbTest = z.output<typeof testShape>;

export const arm = z.object({
  key: z.string(),
  exposed: z.int(),
  converted: z.int(),
  rate: z.number().nullable(),
});
export type Arm = z.output<typeof arm>;
export const comparison = z.object({
  variant: z.string(),
  lift: z.number().nullable(),
  low: z.number(),
  high: z.number().nullable(),
  evidence: z.number(),
  p: z.number(),
});
export type Compared = z.output<typeof comparison>;
export const srmShape = z.object({ evidence: z.number(), flagged: z.boolean() });

const guard = z.record(z.string(), z.number().nullable()).describe('by arm');
const sized = z.object({ lift: z.number(), converters: z.int().nullable(), days: z.int().nullable() });
export const resultsShape = z
  .object({
    test: testShape,
    arms: z.array(arm).describe('control first'),
    comparisons: z.array(comparison),
    srm: srmShape,
    guards: z
      .object({ cls: guard, inp: guard, formCompletion: guard })
      .describe(
        'of the 5000 who came last: p75 of layout shift and of reaction in ms, forms sent of forms begun',
      ),
    verdict: z.enum(VERDICTS),
    needs: z.object({
      converters: z
        .int()
        .nullable()
        .describe('more of them, in all arms, if what was seen goes on; null: nobody can know'),
      days: z.int().nullable(),
      learns: z.array(sized).describe('what a site of this size can hope to learn: by lift, in all'),
    }),
    history: z.array(
      z.object({
        at: utc,
        verdict: z.enum(VERDICTS),
        arms: z.array(arm),
        comparisons: z.array(comparison),
        srm: srmShape,
      }),
    ),
  })
  .meta({ id: 'AbResults' });
export type Results = z.output<typeof resultsShape>;
