// The sites themselves: POST, GET /v1/sites and GET, PATCH /v1/sites/{siteId}.
import { z } from 'zod';
import { isUniqueViolation } from '../../ground/db/faults.ts';
import type { Pool } from '../../ground/db/pool.ts';
import { transaction } from '../../ground/db/transaction.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { sitesOf } from '../../ground/http/which-site.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Site } from '../../ground/site.ts';
import { insertSite, knowsTimeZone, lockSite, updateSite } from './queries.ts';
import type { Sites } from './recognise.ts';
import { newSite, sitePatch, siteShape } from './schema.ts';
import { type MailFacts, optInFaults } from './settings.ts';

const BODY_BYTES_MAX = 32 * 1024;
const LINKING_MS_MAX = 120_000;

export interface SiteNeeds {
  db: Pool;
  sites: Sites;
  mail: MailFacts;
  /** DATA_REGION: where this installation is; undefined: nobody said. */
  region: string | undefined;
}

export function siteRoutes({ db, sites, mail, region }: SiteNeeds): Route[] {
  const one = z.object({ site: siteShape });
  return [
    route({
      at: 'GET /v1/sites',
      id: 'listSites',
      says: 'Lists the sites',
      tag: 'sites',
      who: 'settings',
      shows: 'no people',
      answers: { 200: z.object({ sites: z.array(siteShape) }) },
      async run(_input, call) {
        await sites.reload();
        return { sites: sitesOf(sites, call.caller, 'settings') };
      },
    }),
    route({
      at: 'POST /v1/sites',
      id: 'createSite',
      says: 'Makes a site; 400 invalid_request when double opt-in is on and could not work, 409 region_mismatch when its data has to be elsewhere',
      tag: 'sites',
      who: 'settings',
      takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, shape: newSite },
      answers: { 201: one },
      async run(wanted, call) {
        await knownZone(db, wanted.settings.timeZone);
        mustBeOurs(wanted.dataRegion, region);
        const made = { ...wanted, dataRegion: region };
        const site = await unlessTaken(
          transaction(db, async (tx) => possible(await insertSite(tx, made), null, mail)),
        );
        call.note({ siteId: site.siteId, target: site.siteId });
        await sites.reload();
        return created({ site });
      },
    }),
    route({
      at: 'GET /v1/sites/:siteId',
      id: 'getSite',
      says: 'Shows a site',
      tag: 'sites',
      who: 'settings',
      of: 'path',
      shows: 'no people',
      answers: { 200: one },
      async run(_input, call) {
        await sites.reload();
        return { site: existing(sites.find(call.site.siteId)) };
      },
    }),
    route({
      at: 'PATCH /v1/sites/:siteId',
      id: 'updateSite',
      says: 'Changes a site; 400 invalid_request when double opt-in would be on and could not work',
      tag: 'sites',
      who: 'settings',
      of: 'path',
      takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, shape: sitePatch },
      answers: { 200: one },
      async run(patch, call) {
        const { siteId } = call.site;
        const changes = [
          ...Object.keys(patch),
          ...Object.keys(patch.settings ?? {}).map((name) => `settings.${name}`),
        ];
        call.note({ target: siteId, details: { changes } });
        await knownZone(db, patch.settings?.timeZone);
        mustBeOurs(patch.dataRegion, region);
        const site = await unlessTaken(
          transaction(db, async (tx) => {
            const before = existing(await lockSite(tx, siteId));
            // links of every lead may end with it (end_links_beyond)
            if (patch.settings?.linking !== undefined)
              await tx.query(`set local statement_timeout = ${LINKING_MS_MAX}`);
            return possible(existing(await updateSite(tx, siteId, patch)), before, mail);
          }),
        );
        await sites.reload();
        return { site };
      },
    }),
  ];
}

function existing(site: Site | null | undefined): Site {
  if (!site) throw new AppError('not_found', 'There is no site with this id.');
  return site;
}

/** throws  region_mismatch */
function mustBeOurs(wanted: string | undefined, region: string | undefined): void {
  if (wanted === undefined || wanted === region) return;
  throw new AppError(
    'region_mismatch',
    region === undefined
      ? 'Nobody said where this installation is. Set DATA_REGION and start again, or leave dataRegion out.'
      : `This installation is in ${region}. Make the site on one that is in ${wanted}.`,
    { issues: [{ path: 'dataRegion', message: `is not ${region ?? 'known here'}` }] },
  );
}

/** throws invalid_request when double opt-in could not work with these settings; nothing is changed then */
function possible(site: Site, before: Site | null, mail: MailFacts): Site {
  const issues = optInFaults(site, before, mail);
  if (issues.length === 0) return site;
  throw new AppError(
    'invalid_request',
    `Double opt-in cannot work like this: ${issues.map(({ path, message }) => `${path} ${message}`).join('; ')}.`,
    { issues },
  );
}

/** throws invalid_request when there is no such zone */
async function knownZone(db: Pool, zone: string | null | undefined): Promise<void> {
  if (!zone || (await knowsTimeZone(db, zone))) return;
  throw new AppError(
    'invalid_request',
    `There is no time zone ${zone}. Take a name such as America/Toronto.`,
    {
      issues: [{ path: 'settings.timeZone', message: 'is no IANA time zone' }],
    },
  );
}

async function unlessTaken<T>(write: Promise<T>): Promise<T> {
  return write.catch((error: unknown) => {
    if (isUniqueViolation(error))
      throw new AppError('conflict', 'Another site has this key.', {
        issues: [{ path: 'key', message: 'is taken' }],
      });
    throw error;
  });
}
