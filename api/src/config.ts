// The only reader of the environment: every setting, its rule and its default; all faults are told at once.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';
import { releaseOf } from './ground/lib/version.ts';

const text = z.string().trim().min(1);
const flag = z
  .enum(['true', 'false', '1', '0', 'yes', 'no', 'on', 'off'], { error: 'must be true or false' })
  .transform((word) => ['true', '1', 'yes', 'on'].includes(word));
const whole = (min: number, max: number) =>
  z
    .string()
    .trim()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));
const list = z.string().transform((words) =>
  words
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean),
);
const postgresUrl = text.regex(/^postgres(ql)?:\/\//, 'must be a postgres:// URL');
const dataRegion = text.regex(
  /^[a-z0-9][a-z0-9-]{1,31}$/,
  'must be a name such as ca-central: small letters, digits and hyphens',
);
const origin = (value: string) => URL.canParse(value) && new URL(value).origin === value;
const isHeaderList = (value: string) =>
  value.split(',').every((pair) => /^\s*[\w-]+=([!-$&-~]|%[2-6][\dA-Fa-f]|%7[\dA-Ea-e])+\s*$/.test(pair));
const GROUP_RULE =
  /^\s*(\*|([!-$&-)+-<>-~]|%[\dA-Fa-f]{2})+)=(owner|(admin|analyst|viewer|privacy)(@[\w-]+(\+[\w-]+)*)?)\s*$/;
const isGroupList = (value: string) => {
  try {
    decodeURIComponent(value);
    return value.split(',').every((pair) => GROUP_RULE.test(pair));
  } catch {
    return false;
  }
};
const network = (value: string) => isIP(value.split('/')[0] ?? '') !== 0 && /^[^/]+(\/\d{1,3})?$/.test(value);

/** Every setting. The description is the line that .env.example says of it; a test keeps the two equal. */
export const settings = z.object({
  PORT: whole(0, 65535).default(3000).describe('port the API listens on'),
  HOST: text.default('127.0.0.1').describe('address the API listens on; 0.0.0.0 in the container'),
  DATABASE_URL: postgresUrl.describe(
    'owner of the database: migrates, makes the role marketing_app; then the API serves as that',
  ),
  DATABASE_APP_URL: postgresUrl
    .optional()
    .describe('the role the API serves as, when the owner may not make one itself'),
  METRICS_DATABASE_URL: postgresUrl
    .optional()
    .describe(
      'a hot standby that numbers are read from; without a role in it the API signs in as on the primary',
    ),
  DATA_DIR: text.default('.data').describe('journals, backups and what scripts/start keeps'),
  ADMIN_API_KEY: text
    .min(24, 'must have at least 24 characters')
    .optional()
    .describe('key of the admin routes; without one they answer 503'),
  IP_HASH_PEPPER: text
    .min(16, 'must have at least 16 characters')
    .describe('secret of the address hashes; changing it forgets all neighbourhoods'),
  ACCOUNT_KEYS: text
    .regex(
      /^(?=.*\bwrap:)(?=.*\bindex:)(?=.*\bpepper:)(wrap|index|pepper):[\w-]{32,}(,(wrap|index|pepper):[\w-]{32,})*$/,
      'must be wrap:…,index:…,pepper:… with at least 32 characters each',
    )
    .optional()
    .describe('secrets of the accounts of people who sign in (scripts/secret); without them nobody can'),
  SECOND_FACTOR: z
    .enum(['strong', 'everybody'])
    .default('strong')
    .describe(
      'of whom a second factor is asked, within seven days: owners and admins (strong), or everybody who signs in',
    ),
  OIDC_ISSUER: z
    .url()
    .refine(
      (url) => /^https:\/\/|^http:\/\/(localhost|127\.0\.0\.1)(:\d+)?(\/|$)/.test(url),
      'must be https:// (http:// on this machine only)',
    )
    .optional()
    .describe('another provider that signs people in (OpenID Connect), as it names itself; needs PUBLIC_URL'),
  OIDC_CLIENT_ID: text.optional().describe('what the provider calls this installation'),
  OIDC_CLIENT_SECRET: text.optional().describe('its secret for it (scripts/secret)'),
  OIDC_GROUPS: text
    .refine(
      isGroupList,
      'must be group=role or group=role@site+site, the group percent-encoded, * for everybody; comma list',
    )
    .optional()
    .describe(
      'what people are here by their groups at the provider: group=role or group=role@site+site, * for everybody; comma list. Without it, roles are given here',
    ),
  OIDC_GROUPS_CLAIM: text.default('groups').describe('what the provider calls their groups'),
  OIDC_DOMAINS: list
    .default([])
    .refine(
      (domains) =>
        domains.every((domain) => /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}$/.test(domain)),
      'must be domains such as example.com, in small letters',
    )
    .describe(
      'domains whose people may join through the provider without an invitation, where OIDC_GROUPS gives them a role; comma list',
    ),
  CORS_ALLOWED_ORIGINS: list
    .default([])
    .refine(
      (origins) => origins.every(origin),
      'must be origins such as https://www.example.com, without a path',
    )
    .describe("origins that may read answers, beside each site's own; comma list"),
  DATA_REGION: dataRegion
    .optional()
    .describe('where this machine is, such as ca-central; sites whose data has to be elsewhere are refused'),
  TRUSTED_PROXIES: list
    .default([])
    .refine((ranges) => ranges.every(network), 'must be addresses or ranges such as 172.18.0.0/16')
    .describe('addresses or ranges of our own Caddy, whose X-Real-IP is believed; comma list'),
  PUBLIC_URL: z.url().optional().describe('our own public URL, for links in pages and mails'),
  SESSION_INACTIVITY_MINUTES: whole(1, 1440).default(30).describe('silence that ends a session'),
  ENABLE_HEURISTIC_LINKING: flag
    .default(true)
    .describe(
      'whether sites may link visitors at the same address and browser, weakly, to a lead (their setting linking: on)',
    ),
  HEURISTIC_LINK_WINDOW_MINUTES: whole(1, 1440).default(15).describe('how far back such a link looks'),
  METRICS_SUMMARY_CACHE_TTL_MS: whole(0, 3_600_000)
    .default(15_000)
    .describe('how long a metrics answer may be repeated; a finished rollup clears it'),
  EVENT_RETENTION_DAYS: whole(1, 400)
    .default(90)
    .describe('raw events and their sessions; each day is a partition, which costs every connection memory'),
  ROLLUP_RETENTION_MONTHS: whole(1, 240)
    .default(24)
    .describe('numbers per day, whatever became of the raw events'),
  EVENTS_MB_PER_DAY: whole(1, 10_000_000)
    .optional()
    .describe('what visits to all sites may add to the disk in a day; without it a tenth of what is free'),
  REJECTION_RETENTION_DAYS: whole(1, 1500)
    .default(30)
    .describe('samples of what was refused; the counts stay as long as rollups'),
  PAYLOAD_RETENTION_MONTHS: whole(1, 240).default(12).describe('what people wrote in forms'),
  QUARANTINE_RETENTION_DAYS: whole(1, 1500).default(30).describe('forms held back as suspicious'),
  LAPSED_LEAD_RETENTION_DAYS: whole(1, 1500)
    .default(30)
    .describe('leads after their implied consent ran out'),
  UNCONFIRMED_LEAD_RETENTION_DAYS: whole(14, 1500)
    .default(30)
    .describe(
      'leads that only asked for a mail of confirmation and never confirmed; its link works for 14 days',
    ),
  PENDING_LEAD_RETENTION_MONTHS: whole(1, 240)
    .default(12)
    .describe('leads that never agreed to anything, after the last sign of life'),
  WITHDRAWN_LEAD_RETENTION_YEARS: whole(1, 20)
    .default(3)
    .describe('leads that left; then only a keyed hash keeps imports from writing to them'),
  CONSENT_RECORD_RETENTION_YEARS: whole(1, 20)
    .default(3)
    .describe('proof of consent, after the last record of a lead that is gone'),
  DELIVERY_RETENTION_DAYS: whole(4, 1500)
    .default(30)
    .describe('what webhooks were told, for sending it again; tries go on for three days'),
  AUDIT_RETENTION_YEARS: whole(1, 7).default(7).describe('what administrators did'),
  GEO_DATABASE: text
    .optional()
    .describe('a country database (.mmdb) where the API runs: docker compose cp it to api:/data/'),
  DISK_PATHS: list
    .default([])
    .describe("folders whose disks are watched beside DATA_DIR's, the database's for example; comma list"),
  BACKUPS: z
    .enum(['on', 'off'])
    .default('on')
    .describe(
      'off: this process makes no backups by itself; another one, or the provider of the server, does',
    ),
  STORAGE: z
    .enum(['own', 'managed'])
    .default('own')
    .describe(
      "managed: the provider of the server keeps its disks safe, also where PostgreSQL's own switches for it are off",
    ),
  BACKUP_RETENTION_DAYS: whole(1, 35)
    .default(35)
    .describe('no backup is kept longer, save the last three proven ones'),
  BACKUP_PG_BIN: text
    .optional()
    .describe(
      "folder of pg_dump and pg_restore, when they are not in PATH; must be the server's major version",
    ),
  BACKUP_PUBLIC_KEY: text
    .regex(/^age1[0-9a-z]{20,}$/, 'must be a public key of age (age1…)')
    .optional()
    .describe('age public key; with one, backups leave this machine only encrypted'),
  BACKUP_S3_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('S3-compatible bucket for copies: https://endpoint/bucket/folder'),
  BACKUP_S3_REGION: text
    .default('us-east-1')
    .describe("the bucket's region; many compatible stores take any"),
  BACKUP_S3_ACCESS_KEY_ID: text.optional().describe('key id for the bucket'),
  BACKUP_S3_SECRET_ACCESS_KEY: text.optional().describe('secret for the bucket (scripts/secret)'),
  BACKUP_S3_DATA_REGION: dataRegion
    .optional()
    .describe('where the bucket is, in the words of DATA_REGION; needed with that'),
  BACKUP_SSH_URL: z
    .url({ protocol: /^ssh$/ })
    .optional()
    .describe('folder on another machine for copies: ssh://user@host/folder'),
  BACKUP_SSH_KEY: text.optional().describe('private key for it, the text itself (scripts/secret)'),
  BACKUP_SSH_HOST_KEY: text
    .optional()
    .describe('SHA256:… of its host key, as ssh-keygen -lf shows it; without it no copy is sent'),
  BACKUP_SSH_DATA_REGION: dataRegion
    .optional()
    .describe('where that machine is, in the words of DATA_REGION; needed with that'),
  ARCHIVE_S3_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'S3-compatible bucket for days of events before they go: https://endpoint/bucket/folder, not that of backups; without one they just go',
    ),
  ARCHIVE_S3_REGION: text
    .default('us-east-1')
    .describe("the bucket's region; many compatible stores take any"),
  ARCHIVE_S3_ACCESS_KEY_ID: text.optional().describe('key id for the bucket'),
  ARCHIVE_S3_SECRET_ACCESS_KEY: text.optional().describe('secret for the bucket (scripts/secret)'),
  ARCHIVE_S3_DATA_REGION: dataRegion
    .optional()
    .describe('where the bucket is, in the words of DATA_REGION; needed with that, and the same'),
  ARCHIVE_RETENTION_MONTHS: whole(1, 240).default(24).describe('files of events in that bucket'),
  ALERT_WEBHOOK_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('alarms and recoveries are posted there as JSON with a text field'),
  ALERT_EMAIL: z.email().optional().describe('alarms and recoveries are mailed there; needs SMTP_URL'),
  STATUS_MAIL: z
    .enum(['week', 'day', 'off'])
    .default('week')
    .describe('how often a mail to ALERT_EMAIL says where everything stands: week (Mondays), day or off'),
  CADDY_ADDRESS: text
    .optional()
    .describe("host:port of our own Caddy, whose certificate for PUBLIC_URL's name is watched"),
  RELEASE_NOTICE: flag
    .default(false)
    .describe(
      'whether to ask the registry that IMAGE names, once a day, for a newer release; a notice tells of it',
    ),
  GRAPHQL: z
    .enum(['on', 'known', 'off'])
    .default('on')
    .describe('POST /v1/graphql: any question, only those of graphql-queries.json in DATA_DIR, or none'),
  JOBS: z
    .enum(['on', 'off'])
    .default('on')
    .describe('off: this process runs no job by schedule (by hand it does); for tests and benches'),
  RATE_LIMITS: z.enum(['on', 'off']).default('on').describe('off only for benches and load tests'),
  PRIVACY_CONTACT_EMAIL: z
    .email()
    .optional()
    .describe('whom visitors may write to about their data; shown by GET /v1/privacy'),
  SMTP_URL: z
    .url({ protocol: /^smtps?$/ })
    .optional()
    .describe('mail server: smtps://user:password@host:465; without one no mail is sent'),
  MAIL_FROM: z.email().optional().describe('sender address of our mails'),
  MAIL_SENDER: text
    .optional()
    .describe('who writes, with a postal address, in the foot of mails whose site does not say it'),
  TURNSTILE_SECRET: text
    .optional()
    .describe('secret of Cloudflare Turnstile; with one, forms without its good answer are looked at first'),
  TURNSTILE_VERIFY_URL: z
    .url()
    .default('https://challenges.cloudflare.com/turnstile/v0/siteverify')
    .describe('where its answers are verified'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'collector of traces (OTLP over HTTP), such as http://collector:4318; without one there are none',
    ),
  OTEL_EXPORTER_OTLP_HEADERS: text
    .refine(isHeaderList, 'must be name=value, percent-encoded; comma list')
    .optional()
    .describe('headers that it wants, such as Authorization=Bearer%20…; comma list (scripts/secret)'),
  OTEL_TRACES_SAMPLER_ARG: text
    .regex(/^(\d+|\d*\.\d+)$/, 'must be a number such as 0.01')
    .transform(Number)
    .pipe(z.number().max(1, 'must be at most 1'))
    .default(0.01)
    .describe('share of requests that is traced, 0 to 1'),
  OTEL_SERVICE_NAME: text.default('marketing-api').describe('what traces call this installation'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('least level that is logged'),
});

/**
 * The settings, and which release this is: the image says that of itself, nobody sets it (so .env.example hasn't got it).
 * image  as compose.yaml reads it from the same .env; null: not named there
 */
export type Config = z.output<typeof settings> & { version: string; image: string | null };

export class ConfigError extends Error {}

/**
 * Reads the settings; each NAME may be given as NAME_FILE instead (a file holding the value, for secrets).
 * An empty value counts as not set.
 * throws  ConfigError listing every fault at once
 */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const given: Record<string, string> = {};
  const faults: string[] = [];
  for (const name of Object.keys(settings.shape)) {
    const value = environment[name];
    const file = environment[`${name}_FILE`];
    if (value && file) faults.push(`${name}: set either ${name} or ${name}_FILE, not both`);
    else if (file) {
      try {
        const content = readFileSync(file, 'utf8').trim();
        if (content) given[name] = content;
      } catch (error) {
        faults.push(
          `${name}_FILE: cannot read ${file} (${(error as NodeJS.ErrnoException).code ?? 'error'})`,
        );
      }
    } else if (value) given[name] = value;
  }
  const parsed = settings.safeParse(given);
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) {
      const name = path.join('.');
      faults.push(name in given ? `${name}: ${message}` : `${name}: is required but not set`);
    }
  }
  if (faults.length > 0 || !parsed.success)
    throw new ConfigError(
      `These settings are not right:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
  return { ...parsed.data, version: releaseOf(environment), image: environment.IMAGE || null };
}
