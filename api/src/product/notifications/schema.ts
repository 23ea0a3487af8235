// Shapes of notifications at the door.
import { z } from 'zod';
import { instant, utc } from '../../ground/http/fields.ts';
import { KINDS } from './texts.ts';

export const STATUSES = ['draft', 'scheduled', 'running', 'paused', 'ended'] as const;
export type Status = (typeof STATUSES)[number];

const line = (max: number) => z.string().trim().min(1).max(max);
const patterns = z
  .array(
    z
      .string()
      .max(200)
      .regex(/^\/[^\s?#]*$/, 'a path that begins with /; * stands for anything'),
  )
  .max(20);
const words = z.array(line(100)).max(20);

const OF = ['leads', 'signups', 'activations', 'purchases', 'visitors', 'page_views', 'reviews'] as const;
const where = z
  .strictObject({
    product: line(200).optional().describe('of purchases and reviews'),
    country: z
      .string()
      .regex(/^[A-Z]{2}$/)
      .optional()
      .describe('of purchases'),
    path: z
      .string()
      .max(200)
      .regex(/^\/[^\s?#*]*$/, 'one path')
      .optional()
      .describe('of page_views, and of live visitors'),
    form: line(200).optional().describe('of leads: the name of the form'),
    ratingAtLeast: z
      .int()
      .min(1)
      .max(5)
      .optional()
      .describe('of reviews; it then says that they are selected'),
  })
  .meta({ id: 'ClaimWhere' });

export const claimShape = z
  .strictObject({
    of: z.union([z.enum(OF), z.string().regex(/^event:[a-z0-9_:.-]{1,64}$/)]).describe('or event:TYPE'),
    where: where.default({}),
    days: z
      .int()
      .min(1)
      .max(90)
      .default(30)
      .describe(
        'the last so many times 24 hours; of visitors, page views and events the whole days of the site in them that are over, of which one day has none; of live_visitors always 5 minutes',
      ),
    minimum: z.int().min(3).max(1_000_000).default(5).describe('below it nothing is shown'),
  })
  .meta({ id: 'Claim' });
export type Claim = z.output<typeof claimShape>;

const source = z
  .strictObject({ url: z.url({ protocol: /^https$/ }).max(2048), statedOn: z.iso.date() })
  .meta({ id: 'MessageSource' });

const texts = z
  .record(z.string().max(35), z.record(z.string().max(10), line(200)))
  .refine((all) => Object.keys(all).length >= 1 && Object.keys(all).length <= 8, 'one to eight languages')
  .describe('by language, then by plural category (Intl.PluralRules); plain text with placeholders');

const link = z
  .strictObject({
    url: z.union([
      z.url({ protocol: /^https?$/ }).max(2048),
      z
        .string()
        .max(2048)
        .regex(/^\/(?![/\\])[^\s\\]*$/),
    ]),
    label: line(60),
  })
  .meta({ id: 'NotificationLink' });

const CHANNELS = ['toast', 'bar', 'inline', 'page'] as const;
const targeting = z
  .strictObject({
    include: patterns.default([]).describe('paths; none: every page'),
    exclude: patterns.default([]),
    devices: z
      .array(z.enum(['desktop', 'mobile', 'tablet']))
      .max(3)
      .default([]),
    sources: words.default([]).describe("the session's source"),
    visitors: z
      .enum(['all', 'new', 'returning'])
      .default('all')
      .describe('new and returning: only with full consent'),
    countries: z
      .array(z.string().regex(/^[A-Z]{2}$/))
      .max(50)
      .default([]),
    languages: z.array(z.string().max(35)).max(20).default([]),
    consent: z.enum(['any', 'full']).default('any'),
  })
  .meta({ id: 'Targeting' });
export const triggerShape = z
  .strictObject({
    afterMs: z.int().min(0).max(600_000).default(3000),
    scrollPercent: z.int().min(1).max(100).nullable().default(null),
    exitIntent: z.boolean().default(false),
  })
  .describe('all of them, together')
  .meta({ id: 'Trigger' });
const frequency = z
  .strictObject({
    perSession: z.int().min(1).max(20).default(2),
    perDay: z.int().min(1).max(20).default(4),
    gapMs: z.int().min(0).max(3_600_000).default(15_000),
    afterDismissDays: z.int().min(0).max(365).default(7),
  })
  .meta({ id: 'Frequency' });
const schedule = z
  .strictObject({
    from: instant.nullable().default(null),
    to: instant.nullable().default(null),
    timeZone: z
      .string()
      .max(64)
      .refine(isZone, 'an IANA name such as America/Toronto')
      .nullable()
      .default(null)
      .describe("null: the site's"),
    weekdays: z.array(z.int().min(1).max(7)).max(7).default([]).describe('1 is Monday; none: every day'),
    hours: z
      .array(z.strictObject({ from: z.int().min(0).max(23), to: z.int().min(1).max(24) }))
      .max(8)
      .default([])
      .describe('from inclusive, to exclusive; none: all day'),
  })
  .meta({ id: 'Schedule' });

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** What a notification says and how, without its kind; every part is replaced as a whole. */
const parts = {
  name: line(100).describe('for its owner; never shown'),
  claim: claimShape.nullable().default(null).describe('null: only of a message'),
  source: source
    .nullable()
    .default(null)
    .describe('of a message: where its words come from, shown beside it'),
  texts,
  link: link.nullable().default(null),
  channels: z.array(z.enum(CHANNELS)).min(1).max(4).default(['toast']),
  templateId: z.uuid().nullable().default(null),
  priority: z.int().min(-100).max(100).default(0),
  targeting: targeting.prefault({}),
  trigger: triggerShape.prefault({}),
  frequency: frequency.prefault({}),
  schedule: schedule.prefault({}),
};

export const newNotification = z
  .strictObject({ kind: z.enum(KINDS), ...parts })
  .meta({ id: 'NewNotification' });
export type NewNotification = z.output<typeof newNotification>;
/** A notification's content: everything but its state. */
export type Content = Omit<NewNotification, 'kind'>;

const bare = <Shape extends z.ZodType>(shape: Shape): z.ZodType =>
  shape instanceof z.ZodDefault || shape instanceof z.ZodPrefault ? bare(shape.unwrap() as z.ZodType) : shape;
/** The same without what stands in for what is left out: left out, it stays. */
const changes = Object.fromEntries(
  Object.entries(parts).map(([name, part]) => [name, bare(part).optional()]),
) as {
  [Name in keyof typeof parts]: z.ZodOptional<z.ZodType<Content[Name], unknown>>;
};
/** What might become of one, looked at before it is kept. */
export const notificationChanges = z.strictObject(changes).meta({ id: 'NotificationChanges' });
export const notificationPatch = z
  .strictObject({ ...changes, status: z.enum(['scheduled', 'running', 'paused', 'ended']).optional() })
  .meta({ id: 'NotificationPatch' });
export type NotificationPatch = z.output<typeof notificationPatch>;

export const showingShape = {
  showing: z.boolean().describe('whether visitors see it now'),
  why: z
    .enum([
      'draft',
      'paused',
      'ended',
      'scheduled',
      'outside_schedule',
      'below_minimum',
      'nothing_to_tell',
      'no_words_for_it',
    ])
    .nullable()
    .describe('why not; null: it shows'),
};
export type Showing = { [Name in keyof typeof showingShape]: z.output<(typeof showingShape)[Name]> };

export const notificationShape = z
  .object({
    notificationId: z.uuid(),
    version: z.int(),
    kind: z.enum(KINDS),
    status: z.enum(STATUSES),
    name: z.string(),
    claim: claimShape.nullable(),
    source: source.nullable(),
    texts,
    link: link.nullable(),
    channels: z.array(z.enum(CHANNELS)),
    templateId: z.uuid().nullable(),
    priority: z.int(),
    targeting,
    trigger: triggerShape,
    frequency,
    schedule,
    madeBy: z.string().describe('who made this version'),
    createdAt: utc,
    changedAt: utc,
    endedAt: utc.nullable(),
  })
  .meta({ id: 'NotificationContent' });
export type Notification = z.output<typeof notificationShape>;
/** What it said once: each change made another. */
export const versionShape = notificationShape
  .omit({ notificationId: true, kind: true, createdAt: true, changedAt: true, endedAt: true })
  .extend({ madeAt: utc })
  .meta({ id: 'NotificationVersion' });
export type NotificationVersion = z.output<typeof versionShape>;

/** With whether it shows now: as it is answered. */
export const shownNotification = z
  .object({ ...notificationShape.shape, ...showingShape })
  .meta({ id: 'Notification' });
