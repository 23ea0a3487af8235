// What a site may look like at the door.
import { z } from 'zod';
import { openRecord } from '../../ground/http/fields.ts';
import { settingsPatch, siteSettings } from './settings.ts';

const origin = z
  .string()
  .trim()
  .refine(
    (value) => URL.canParse(value) && new URL(value).origin === value && /^https?:/.test(value),
    'an origin such as https://www.example.com, without a path',
  );
const key = z.string().trim().min(1).max(128);
const domain = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9.-]{1,253}$/, 'a host name such as example.com');

export const dataRegion = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{1,31}$/, 'a name such as ca-central: small letters, digits and hyphens');

export const newSite = z
  .object({
    key: key.describe('public propertyId, unique'),
    name: z.string().trim().max(255).default(''),
    domain: domain.nullable().default(null),
    origins: z.array(origin).max(50).default([]),
    settings: siteSettings.default({}),
    dataRegion: dataRegion
      .optional()
      .describe(
        'where its data has to be: the DATA_REGION of this installation, which is the default; else 409',
      ),
  })
  .meta({ id: 'NewSite' });

export const sitePatch = z
  .object({
    key: key.optional(),
    name: z.string().trim().max(255).optional(),
    domain: domain.nullable().optional(),
    origins: z.array(origin).max(50).optional(),
    settings: settingsPatch.optional().describe('merged: a key with null is removed'),
    dataRegion: dataRegion
      .optional()
      .describe(
        'the DATA_REGION of this installation and no other; of a site that was moved: it may be here',
      ),
  })
  .meta({ id: 'SitePatch' });

export const siteShape = z
  .object({
    siteId: z.uuid(),
    key: z.string(),
    name: z.string(),
    domain: z.string().nullable(),
    origins: z.array(z.string()),
    settings: openRecord.describe('SiteSettings, and whatever else was set'),
    dataRegion: z.string().nullable().describe('where its data has to be; null: nobody said'),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Site' });

export type NewSite = z.output<typeof newSite>;
export type SitePatch = z.output<typeof sitePatch>;
