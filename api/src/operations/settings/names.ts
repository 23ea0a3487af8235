// The names that may stand in .env: those of config.ts, and the appliance's own; and which one a misspelt one was meant to be.
import { settings } from '../../config.ts';

/** What compose.yaml and the scripts read; the API never sees a meaning in them. restarts: the services that a change makes anew */
export const APPLIANCE: Readonly<Record<string, { restarts: string[]; instead?: string }>> = {
  SITE_ADDRESS: { restarts: ['caddy', 'api'] },
  IMAGE: { restarts: [], instead: 'scripts/upgrade IMAGE goes to another release, and back when it fails' },
  SOURCE: { restarts: [] },
  POSTGRES_IMAGE: { restarts: ['postgres'] },
  CADDY_IMAGE: { restarts: ['caddy'] },
  HTTP_PORT: { restarts: ['caddy'] },
  HTTPS_PORT: { restarts: ['caddy'] },
  API_PROCESSES: { restarts: ['api'] },
  EDGE_IPV6: {
    restarts: [],
    instead: 'networks are made anew by docker compose down and docker compose up -d, after the line in .env',
  },
  CADDY_GLOBAL: { restarts: ['caddy'] },
  TRUSTED_PROXY: { restarts: ['caddy'] },
  COMPOSE_PROJECT_NAME: { restarts: [], instead: 'another name is another stack, with data of its own' },
  NODE_IMAGE: { restarts: [] },
  VERSION: { restarts: [] },
  REVISION: { restarts: [] },
};

/** compose.yaml says these itself, whatever stands in .env. */
export const BY_COMPOSE = ['HOST', 'PORT', 'DATA_DIR', 'TRUSTED_PROXIES', 'DISK_PATHS'];

/** Made at the first start, and changed by other verbs. */
export const MADE = ['DATABASE_URL', 'DATABASE_APP_URL', 'IP_HASH_PEPPER', 'ADMIN_API_KEY'];

/** Whoever may list an environment must not read them: they lie in the volume with the secrets. */
export const SECRET = [
  ...MADE,
  'METRICS_DATABASE_URL',
  'ACCOUNT_KEYS',
  'SMTP_URL',
  'ALERT_WEBHOOK_URL',
  'TURNSTILE_SECRET',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OIDC_CLIENT_SECRET',
  'BACKUP_S3_SECRET_ACCESS_KEY',
  'BACKUP_SSH_KEY',
];

const OURS = [...Object.keys(settings.shape), ...Object.keys(APPLIANCE)];

/** Steps from one word to the other: a letter more, less, another, or two that changed places. */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...Array<number>(b.length).fill(0)]);
  for (let j = 1; j <= b.length; j++) rows[0]![j] = j;
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      rows[i]![j] = least;
    }
  return rows[a.length]![b.length]!;
}

/** The known name that was probably meant; null when none is near. */
export function nearestName(name: string): string | null {
  const wanted = name.toUpperCase();
  const [best] = OURS.map((known) => ({ known, steps: distance(wanted, known) })).sort(
    (a, b) => a.steps - b.steps,
  );
  // of a short word, two other letters are another word
  const most = wanted.length < 8 ? 1 : Math.max(2, Math.floor(wanted.length / 4));
  return best && best.steps <= most ? best.known : null;
}

/** What the image, its own start (container/marketing) and the shell bring into the environment of the container, beside .env. */
const OF_THE_IMAGE =
  /^(PATH|HOME|HOSTNAME|LANG|LANGUAGE|TZ|PWD|OLDPWD|SHLVL|TERM|_|APP_VERSION|GOSU_VERSION|PG_MAJOR|PG_VERSION|PGDATA|POSTGRES_PASSWORD(_FILE)?|SECRETS_DIR|(NODE|npm|LC|DOCKER|COMPOSE|MALLOC)_.*|(HTTP|HTTPS|NO|ALL|FTP)_PROXY)$/;

export interface Stranger {
  name: string;
  /** What was probably meant. */
  nearest: string | null;
}

/**
 * Names in the environment that mean nothing: a slip of the pen is silent otherwise. In the image every other name came from
 * .env or from scripts/secret, so all are told; outside, only those that are near to one of ours.
 */
export function strangers(environment: NodeJS.ProcessEnv): Stranger[] {
  const inImage = environment.APP_VERSION !== undefined;
  return Object.keys(environment)
    .filter((name) => /^[A-Za-z][A-Za-z0-9_]*$/.test(name) && !OF_THE_IMAGE.test(name))
    .filter((name) => ![name, name.replace(/_FILE$/, '')].some((each) => OURS.includes(each)))
    .map((name) => ({ name, nearest: nearestName(name.replace(/_FILE$/, '')) }))
    .filter(({ name, nearest }) => nearest !== null || (inImage && name === name.toUpperCase()));
}

export const strangerWords = ({ name, nearest }: Stranger): string =>
  `${name} is no setting${nearest ? `; ${nearest} was meant?` : ''}`;
