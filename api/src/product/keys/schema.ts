// Shapes of keys at the door.
import { z } from 'zod';
import { instant, propertyId, utc } from '../../ground/http/fields.ts';
import { SCOPES, type Scope } from '../../ground/http/roles.ts';

export const scope = z.enum(Object.keys(SCOPES) as [Scope, ...Scope[]]);

export const keyShape = z
  .object({
    keyId: z.uuid(),
    name: z.string(),
    scopes: z.array(scope),
    siteIds: z.array(z.uuid()).nullable().describe('null: every site, also those to come'),
    madeBy: z.string().describe('as in the audit log: admin_key, user:ID'),
    createdAt: utc,
    expiresAt: utc,
    lastUsedOn: z.iso.date().nullable().describe('a UTC day'),
    revokedAt: utc.nullable(),
  })
  .meta({ id: 'Key' });
export type Key = z.output<typeof keyShape>;

export const newKey = z
  .object({
    name: z.string().trim().min(1).max(200).describe('what it is for, such as "the shop’s server"'),
    scopes: z
      .array(scope)
      .min(1)
      .max(10)
      .describe(
        'ingest: conversions and ad spend; read: numbers; leads: leads; hooks: webhooks; admin: all but people and keys',
      ),
    sites: z
      .array(propertyId)
      .min(1)
      .max(100)
      .optional()
      .describe(
        'keys or ids of sites; without it all of the caller, and for a caller of every site those to come as well',
      ),
    expiresAt: instant.optional().describe('at most two years from now; default: one year'),
  })
  .meta({ id: 'NewKey' });
export type NewKey = z.output<typeof newKey>;
