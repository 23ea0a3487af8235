// The SQL door of templates. Inside a transaction of inSites.
import type { Db } from '../../ground/db/pool.ts';
import type { Tokens } from './looks/tokens.ts';

export interface Template {
  templateId: string;
  version: number;
  name: string;
  tokens: Tokens;
  css: string | null;
  createdAt: string;
  changedAt: string;
}
export type Look = Pick<Template, 'name' | 'tokens' | 'css'>;

const AS_TEMPLATE = `template_id as "templateId", version, name, tokens, css, instant_text(created_at) as "createdAt", instant_text(changed_at) as "changedAt"`;

/** In the order they were made. */
export async function listTemplates(
  db: Db,
  siteId: string,
  after: string | null = null,
  limit: number | null = null,
): Promise<Template[]> {
  const { rows } = await db.query<Template>(
    `select ${AS_TEMPLATE} from templates where site_id = $1 and ($2::uuid is null or template_id > $2) order by template_id limit $3`,
    [siteId, after, limit],
  );
  return rows;
}

export async function findTemplate(
  db: Db,
  siteId: string,
  templateId: string,
  lock = false,
): Promise<Template | null> {
  const { rows } = await db.query<Template>(
    `select ${AS_TEMPLATE} from templates where site_id = $1 and template_id = $2${lock ? ' for update' : ''}`,
    [siteId, templateId],
  );
  return rows[0] ?? null;
}

/** Held against its deletion until the transaction ends. */
export async function templateExists(db: Db, siteId: string, templateId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    'select from templates where site_id = $1 and template_id = $2 for key share',
    [siteId, templateId],
  );
  return rowCount === 1;
}

/** Against others that make one, until the transaction ends. */
export async function countTemplatesUnderLock(db: Db, siteId: string): Promise<number> {
  await db.query("select pg_advisory_xact_lock(hashtextextended($1 || ' templates', 7))", [siteId]);
  const { rows } = await db.query<{ count: number }>(
    'select count(*)::int as count from templates where site_id = $1',
    [siteId],
  );
  return rows[0]!.count;
}

export async function insertTemplate(db: Db, siteId: string, { name, tokens, css }: Look): Promise<Template> {
  const { rows } = await db.query<Template>(
    `insert into templates (site_id, name, tokens, css) values ($1, $2, $3, $4) returning ${AS_TEMPLATE}`,
    [siteId, name, JSON.stringify(tokens), css],
  );
  return rows[0]!;
}

export async function updateTemplate(
  db: Db,
  siteId: string,
  templateId: string,
  { name, tokens, css }: Look,
): Promise<Template> {
  const { rows } = await db.query<Template>(
    `update templates set version = version + 1, name = $3, tokens = $4, css = $5, changed_at = now()
     where site_id = $1 and template_id = $2 returning ${AS_TEMPLATE}`,
    [siteId, templateId, name, JSON.stringify(tokens), css],
  );
  return rows[0]!;
}

/** Whether what a test that runs compares looks like it: one of its variants, or its notification. The template is locked. */
export async function isTemplateUnderTest(db: Db, siteId: string, templateId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from ab_tests t where t.site_id = $1 and t.status = 'running' and (
       exists (select from ab_variants a where a.test_id = t.test_id and a.template_id = $2)
       or exists (select from notifications n join notification_versions v using (site_id, notification_id, version)
         where n.site_id = t.site_id and n.notification_id = t.notification_id and v.template_id = $2))
     limit 1`,
    [siteId, templateId],
  );
  return rowCount === 1;
}

/** returns  whether it went; false: a notification or a test that is not over looks like it */
export async function deleteTemplate(db: Db, siteId: string, templateId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `delete from templates t where site_id = $1 and template_id = $2 and not exists (
       select from notifications n join notification_versions v using (site_id, notification_id, version)
       where n.site_id = t.site_id and n.status <> 'ended' and v.template_id = t.template_id)
     and not exists (
       select from ab_variants a join ab_tests s using (test_id)
       where s.site_id = t.site_id and s.status <> 'ended' and a.template_id = t.template_id)`,
    [siteId, templateId],
  );
  return rowCount === 1;
}
