// The SQL door of notifications. Inside a transaction of inSites.
import type { Db } from '../../ground/db/pool.ts';
import type { Content, Notification, NotificationVersion, Status } from './schema.ts';
import type { Kind } from './texts.ts';

interface Row {
  notification_id: string;
  version: number;
  kind: Kind;
  status: Status;
  name: string;
  claim: Notification['claim'];
  source: Notification['source'];
  texts: Notification['texts'];
  template_id: string | null;
  settings: Pick<
    Content,
    'link' | 'channels' | 'priority' | 'targeting' | 'trigger' | 'frequency' | 'schedule'
  >;
  made_by: string;
  created_at: string;
  changed_at: string;
  ended_at: string | null;
}

const COLUMNS = `n.notification_id, v.version, n.kind, n.status, v.name, v.claim, v.source, v.texts, v.template_id, v.settings, v.made_by,
    instant_text(n.created_at) as created_at, instant_text(n.changed_at) as changed_at, instant_text(n.ended_at) as ended_at`;
const FROM = `select ${COLUMNS} from notifications n join notification_versions v using (site_id, notification_id, version)`;

const asNotification = (row: Row): Notification => ({
  notificationId: row.notification_id,
  version: row.version,
  kind: row.kind,
  status: row.status,
  name: row.name,
  claim: row.claim,
  source: row.source,
  texts: row.texts,
  templateId: row.template_id,
  ...row.settings,
  madeBy: row.made_by,
  createdAt: row.created_at,
  changedAt: row.changed_at,
  endedAt: row.ended_at,
});

/** The newest first. */
export async function listNotifications(
  db: Db,
  siteId: string,
  after: string | null,
  limit: number,
): Promise<Notification[]> {
  const { rows } = await db.query<Row>(
    `${FROM} where n.site_id = $1 and ($2::uuid is null or n.notification_id < $2) order by n.notification_id desc limit $3`,
    [siteId, after, limit],
  );
  return rows.map(asNotification);
}

/** Those that may be shown: running, or due to. */
export async function notificationsAtWork(db: Db, siteId: string): Promise<Notification[]> {
  const { rows } = await db.query<Row>(
    `${FROM} where n.site_id = $1 and n.status in ('scheduled', 'running') order by n.notification_id`,
    [siteId],
  );
  return rows.map(asNotification);
}

export async function findNotification(
  db: Db,
  siteId: string,
  notificationId: string,
  lock = false,
): Promise<Notification | null> {
  const { rows } = await db.query<Row>(
    `${FROM} where n.site_id = $1 and n.notification_id = $2${lock ? ' for update of n' : ''}`,
    [siteId, notificationId],
  );
  return rows[0] ? asNotification(rows[0]) : null;
}

/** As it was in a version; status and times are those of now. */
export async function versionOf(
  db: Db,
  siteId: string,
  notificationId: string,
  version: number,
): Promise<Notification | null> {
  const { rows } = await db.query<Row>(
    `select ${COLUMNS} from notifications n join notification_versions v using (site_id, notification_id)
     where n.site_id = $1 and n.notification_id = $2 and v.version = $3`,
    [siteId, notificationId, version],
  );
  return rows[0] ? asNotification(rows[0]) : null;
}

/** What it said in each, the newest first. before: this one; null: from the newest on */
export async function listVersions(
  db: Db,
  siteId: string,
  notificationId: string,
  before: number | null,
  limit: number,
): Promise<NotificationVersion[]> {
  const { rows } = await db.query<Omit<NotificationVersion, keyof Row['settings']> & Pick<Row, 'settings'>>(
    `select version, status, name, claim, source, texts, template_id as "templateId", settings, made_by as "madeBy", instant_text(made_at) as "madeAt"
     from notification_versions where site_id = $1 and notification_id = $2 and ($3::int is null or version < $3)
     order by version desc limit $4`,
    [siteId, notificationId, before, limit],
  );
  return rows.map(({ settings, ...row }) => ({ ...row, ...settings }));
}

/** Those that are not over, and those of them at work; against others that make or start one, until the transaction ends. */
export async function countUnderLock(db: Db, siteId: string): Promise<{ all: number; atWork: number }> {
  await db.query("select pg_advisory_xact_lock(hashtextextended($1 || ' notifications', 7))", [siteId]);
  const { rows } = await db.query<{ all: number; atWork: number }>(
    `select count(*)::int as all, (count(*) filter (where status in ('scheduled', 'running')))::int as "atWork"
     from notifications where site_id = $1 and status <> 'ended'`,
    [siteId],
  );
  return rows[0]!;
}

export async function insertNotification(
  db: Db,
  siteId: string,
  kind: Kind,
  content: Content,
  madeBy: string,
): Promise<Notification> {
  const { rows } = await db.query<{ notification_id: string }>(
    'insert into notifications (site_id, kind) values ($1, $2) returning notification_id',
    [siteId, kind],
  );
  const notificationId = rows[0]!.notification_id;
  await addVersion(db, siteId, { notificationId, version: 1, status: 'draft' }, content, madeBy);
  return (await findNotification(db, siteId, notificationId))!;
}

/** Its next state, under a lock of its row (findNotification). */
export async function changeNotification(
  db: Db,
  siteId: string,
  before: Pick<Notification, 'notificationId' | 'version'>,
  status: Status,
  content: Content,
  madeBy: string,
): Promise<Notification> {
  const { notificationId } = before;
  const version = before.version + 1;
  await addVersion(db, siteId, { notificationId, version, status }, content, madeBy);
  await db.query(
    `update notifications set version = $3, status = $4, changed_at = now(), ended_at = case when $4 = 'ended' then now() end
     where site_id = $1 and notification_id = $2`,
    [siteId, notificationId, version, status],
  );
  return (await findNotification(db, siteId, notificationId))!;
}

async function addVersion(
  db: Db,
  siteId: string,
  { notificationId, version, status }: Pick<Notification, 'notificationId' | 'version' | 'status'>,
  { name, claim, source, texts, templateId, ...settings }: Content,
  madeBy: string,
): Promise<void> {
  const json = (value: unknown) => (value === null ? null : JSON.stringify(value));
  await db.query(
    `insert into notification_versions (site_id, notification_id, version, status, name, claim, source, texts, template_id, settings, made_by)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      siteId,
      notificationId,
      version,
      status,
      name,
      json(claim),
      json(source),
      json(texts),
      templateId,
      json(settings),
      madeBy,
    ],
  );
}

/** Whether a test of it runs: it compares what stays the same. */
export async function isUnderTest(db: Db, siteId: string, notificationId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    "select from ab_tests where site_id = $1 and notification_id = $2 and status = 'running'",
    [siteId, notificationId],
  );
  return rowCount === 1;
}

/** Only drafts; its versions go with it. */
export async function deleteDraft(db: Db, siteId: string, notificationId: string): Promise<void> {
  await db.query(
    "delete from notifications where site_id = $1 and notification_id = $2 and status = 'draft'",
    [siteId, notificationId],
  );
}

/** Ids of what must begin or end by now, as its schedule says; a site's rows. */
export async function dueNotifications(
  db: Db,
  siteIds: string[],
): Promise<{ siteId: string; notificationId: string }[]> {
  const { rows } = await db.query<{ siteId: string; notificationId: string }>(
    `select n.site_id as "siteId", n.notification_id as "notificationId"
     from notifications n join notification_versions v using (site_id, notification_id, version)
     where n.site_id = any ($1) and n.status in ('scheduled', 'running', 'paused')
       and ((v.settings #>> '{schedule,to}')::timestamptz <= now()
         or (n.status = 'scheduled' and (v.settings #>> '{schedule,from}')::timestamptz <= now()))
     limit 1000`,
    [siteIds],
  );
  return rows;
}
