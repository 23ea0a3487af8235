// What GET /v1/privacy says: whom to ask, how long what is kept, which policy is in force.
import { z } from 'zod';

export const privacyShape = z
  .object({
    contact: z.string().nullable(),
    policyVersion: z.string().nullable(),
    policyUrl: z.string().nullable(),
    retention: z
      .object({
        eventDays: z.int(),
        rejectionDays: z.int(),
        rollupMonths: z.int(),
        payloadMonths: z.int(),
        answeredRequestMonths: z.int(),
        quarantineDays: z.int(),
        lapsedLeadDays: z.int(),
        consentRecordYears: z.int(),
        unsubscribedYears: z.int(),
        auditLogYears: z.int(),
        backupDays: z.int(),
      })
      .describe('the periods that the nightly purge goes by'),
    addresses: z.literal('hashed'),
    signalsHonoured: z.array(z.enum(['GPC', 'DNT'])),
  })
  .meta({ id: 'Privacy' });

/**
 * settings  of the site
 * periods   of all features, by the names they are told by
 */
export function privacyFacts(
  { policyVersion, policyUrl }: Record<string, unknown>,
  { contact, periods }: { contact: string | null; periods: Record<string, number> },
) {
  return {
    contact,
    policyVersion: typeof policyVersion === 'string' ? policyVersion : null,
    policyUrl: typeof policyUrl === 'string' ? policyUrl : null,
    retention: periods,
    addresses: 'hashed',
    signalsHonoured: ['GPC', 'DNT'],
  };
}
