// Templates of a site: how its notifications look. GET, POST, PATCH, DELETE …/templates.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { nextCursor, pageOf, paging, readCursor, utc } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { checkVersion, versioned } from '../../ground/http/version.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Site } from '../../ground/site.ts';
import { tellFeed } from './feed-changed.ts';
import { lookNow } from './looks/now.ts';
import { type Tokens, tokenFaults, tokensShape } from './looks/tokens.ts';
import {
  countTemplatesUnderLock,
  deleteTemplate,
  findTemplate,
  insertTemplate,
  isTemplateUnderTest,
  listTemplates,
  type Template,
  updateTemplate,
} from './template-queries.ts';

export const TEMPLATES_MAX = 20;
const BODY_BYTES_MAX = 16 * 1024;

const name = z.string().trim().min(1).max(100);
const css = z
  .string()
  .trim()
  .max(8192)
  .nullable()
  .describe('paint only; it is answered as it is kept: our own print of it');
const newTemplate = z
  .strictObject({ name, tokens: tokensShape.prefault({}), css: css.default(null) })
  .meta({ id: 'NewTemplate' });
const templatePatch = z
  .strictObject({ name: name.optional(), tokens: tokensShape.optional(), css: css.optional() })
  .meta({ id: 'TemplatePatch' });
const templateShape = z
  .object({
    templateId: z.uuid(),
    version: z.int(),
    name: z.string(),
    tokens: tokensShape,
    css: z.string().nullable(),
    refused: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .describe(
        'what is not drawn any more, since the rules or the site’s origins became narrower after it was saved: without it where the CSS or the logo alone is meant, plain where the tokens are',
      ),
    createdAt: utc,
    changedAt: utc,
  })
  .meta({ id: 'Template' });

const unknown = () => new AppError('not_found', 'This site has no template with this id.');

/** throws  invalid_request. returns  the CSS as it is kept */
async function printed(site: Site, tokens: Tokens, text: string | null): Promise<string | null> {
  const issues = tokenFaults(tokens, site.origins);
  if (issues.length > 0)
    throw new AppError(
      'invalid_request',
      `These tokens cannot be taken: ${issues[0]!.path} ${issues[0]!.message}.`,
      {
        issues,
      },
    );
  if (!text) return null;
  const { printCss } = await import('./looks/css.ts'); // 2 MB that most processes never need
  return printCss(text, tokens);
}

const shown = async (site: Site, template: Template) => ({
  ...template,
  refused: (await lookNow(template, site.origins)).refused,
});

export function templateRoutes({ db }: { db: Pool }): Route[] {
  const changing = { tag: 'notifications', who: 'settings', of: 'path' } as const;
  const looking = { ...changing, shows: 'no people' } as const;
  const one = z.object({ template: templateShape });
  return [
    route({
      ...looking,
      at: 'GET /v1/sites/:siteId/templates',
      id: 'listTemplates',
      says: 'Templates of a site: how its notifications look',
      takes: { as: 'query', shape: z.object(paging(50, 100)) },
      answers: { 200: z.object({ templates: z.array(templateShape), nextCursor }) },
      async run({ limit, cursor }, call) {
        const after = readCursor(cursor, z.tuple([z.uuid()]))?.[0] ?? null;
        const { siteId } = call.site;
        const rows = await inSites(db, siteId, (tx) => listTemplates(tx, siteId, after, limit + 1));
        const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.templateId]);
        return { templates: await Promise.all(page.map((row) => shown(call.site, row))), nextCursor: next };
      },
    }),
    route({
      ...changing,
      at: 'POST /v1/sites/:siteId/templates',
      id: 'createTemplate',
      says: 'Makes a template; 400 with line and column for CSS that is not allowed or cannot be read on its ground',
      takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, shape: newTemplate },
      answers: { 201: one },
      async run(wanted, call) {
        const { siteId } = call.site;
        const look = { ...wanted, css: await printed(call.site, wanted.tokens, wanted.css) };
        const template = await inSites(db, siteId, async (tx) => {
          if ((await countTemplatesUnderLock(tx, siteId)) >= TEMPLATES_MAX)
            throw new AppError(
              'conflict',
              `A site has at most ${TEMPLATES_MAX} templates. Delete one first.`,
            );
          return insertTemplate(tx, siteId, look);
        });
        call.note({ target: template.templateId });
        return versioned(template.version, { template: await shown(call.site, template) }, 201);
      },
    }),
    route({
      ...looking,
      at: 'GET /v1/sites/:siteId/templates/:templateId',
      id: 'getTemplate',
      says: 'Shows a template; its ETag is its version',
      answers: { 200: one },
      async run(_input, call) {
        const { siteId } = call.site;
        const template = await inSites(db, siteId, (tx) => findTemplate(tx, siteId, call.params.templateId!));
        if (!template) throw unknown();
        return versioned(template.version, { template: await shown(call.site, template) });
      },
    }),
    route({
      ...changing,
      at: 'PATCH /v1/sites/:siteId/templates/:templateId',
      id: 'updateTemplate',
      says: 'Changes a template; needs If-Match with its version; 409 while a test runs that compares what looks like it',
      takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, shape: templatePatch },
      answers: { 200: one },
      async run(patch, call) {
        const { siteId } = call.site;
        call.note({ target: call.params.templateId!, details: { changes: Object.keys(patch) } });
        const template = await inSites(db, siteId, async (tx) => {
          const before = await findTemplate(tx, siteId, call.params.templateId!, true);
          if (!before) throw unknown();
          checkVersion(call, before.version);
          if (await isTemplateUnderTest(tx, siteId, before.templateId))
            throw new AppError(
              'conflict',
              'A test runs that compares what looks like it, and stays the same meanwhile. Stop the test first, or make another template.',
            );
          const tokens = patch.tokens ?? before.tokens;
          const text = patch.css === undefined ? before.css : patch.css;
          const look = {
            name: patch.name ?? before.name,
            tokens,
            css: await printed(call.site, tokens, text),
          };
          const changed = await updateTemplate(tx, siteId, before.templateId, look);
          await tellFeed(tx, siteId);
          return changed;
        });
        return versioned(template.version, { template: await shown(call.site, template) });
      },
    }),
    route({
      ...changing,
      at: 'DELETE /v1/sites/:siteId/templates/:templateId',
      id: 'deleteTemplate',
      says: 'Deletes a template that no notification and no test looks like',
      answers: { 200: z.object({}) },
      async run(_input, call) {
        const { siteId } = call.site;
        const { templateId } = call.params;
        call.note({ target: templateId! });
        await inSites(db, siteId, async (tx) => {
          const found = await findTemplate(tx, siteId, templateId!, true);
          if (!found) throw unknown();
          checkVersion(call, found.version);
          if (!(await deleteTemplate(tx, siteId, templateId!)))
            throw new AppError(
              'conflict',
              'A notification or a test that is not over looks like it. Give that notification another one, or end the test, first.',
            );
        });
        return {};
      },
    }),
  ];
}
