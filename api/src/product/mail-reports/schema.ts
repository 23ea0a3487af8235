// Shapes of reports by mail at the door.
import { z } from 'zod';
import { utc } from '../../ground/http/fields.ts';
import { LANGUAGES } from '../../ground/words/language.ts';

export const REPORTS_MAX = 20;
export const RECIPIENTS_MAX = 50;

export const recipientAddress = z.string().trim().min(3).max(320).describe('an email address');
export const recipientList = z
  .array(recipientAddress)
  .min(1)
  .max(20)
  .describe('each says yes by the link of a mail first');

const isZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return !/^[+-]/.test(name);
  } catch {
    return false;
  }
};
export const timezone = z
  .string()
  .max(64)
  .refine(isZone, 'a time zone such as America/Toronto')
  .describe('whose hour it is; default: the site’s');

const every = z.enum(['week', 'month']);
const weekday = z.int().min(1).max(7).describe('1 Monday … 7 Sunday; of weekly reports');
const hour = z.int().min(0).max(23);
const language = z.enum(LANGUAGES);

export const recipientShape = z
  .object({
    recipientId: z.uuid(),
    email: z
      .string()
      .nullable()
      .describe('null: ACCOUNT_KEYS does not open it, after a restore without the one of then'),
    state: z.enum(['asked', 'confirmed', 'left']).describe('only who confirmed gets anything'),
    askedAt: utc,
    confirmedAt: utc.nullable(),
    leftAt: utc.nullable(),
  })
  .meta({ id: 'MailRecipient' });
export type Recipient = z.output<typeof recipientShape>;

export const mailReportShape = z
  .object({
    reportId: z.uuid(),
    siteId: z.uuid(),
    every,
    weekday: weekday.nullable(),
    hour,
    timezone: z.string(),
    language,
    madeBy: z.string(),
    createdAt: utc,
    recipients: z.array(
      z
        .object({
          recipient: recipientShape,
          toldThrough: z.iso.date().describe('the last day of the newest report that was due to them'),
          sentAt: utc.nullable(),
          lastError: z.string().nullable(),
        })
        .meta({ id: 'MailReportCopy' }),
    ),
  })
  .meta({ id: 'MailReport' });
export type MailReport = z.output<typeof mailReportShape>;

export const newMailReport = z
  .object({
    every,
    weekday: weekday.optional().describe('1 Monday … 7 Sunday; default 1; none where every is month'),
    hour: hour.default(8),
    timezone: timezone.optional(),
    language: language.optional().describe('default: the site’s'),
    recipients: recipientList,
  })
  .refine((report) => report.every === 'week' || report.weekday === undefined, {
    path: ['weekday'],
    message: 'a monthly report leaves on the first of the month; leave it out',
  })
  .meta({ id: 'NewMailReport' });
