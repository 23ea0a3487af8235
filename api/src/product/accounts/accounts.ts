// What accounts need while the process runs: the vault, the queue of passwords, the guard against guessing, the facts of this
// installation.
import type { Config } from '../../config.ts';
import type { Pool } from '../../ground/db/pool.ts';
import { type Role, SITE_ROLES, STRONG_ROLES } from '../../ground/http/roles.ts';
import { sparingly } from '../../ground/http/windows.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import { forgetJournalOf } from '../captures/start.ts';
import { type Challenges, makeChallenges } from './challenges.ts';
import { STRANGERS_PER_MINUTE } from './events.ts';
import { type Guard, makeGuard } from './guard.ts';
import { type Hasher, makeHasher } from './hasher.ts';
import { inAccounts } from './in-accounts.ts';
import { type Oidc, openOidc } from './oidc.ts';
import { openPost, type Post } from './post.ts';
import { askForSecondFactors, countUsers } from './queries.ts';
import { countSeats } from './seats.ts';
import { makeTokens, type Tokens } from './tokens.ts';
import { needed, openVault, type Vault } from './vault.ts';

export interface Accounts {
  db: Pool;
  sites: SiteDirectory;
  log: Log;
  /** throws  unavailable, where there is no keyring */
  vault(): Vault;
  hasher(): Hasher;
  /** Of a route that looks at a password: asked before its body is read. throws  unavailable while too many wait */
  mustHavePlace(): void;
  /** Without a keyring nobody can have an account. */
  isConfigured: boolean;
  guard: Guard;
  /** Whether what strangers did may be one of the events of signing in. */
  mayStrangersWrite(network: string): boolean;
  post: Post;
  publicUrl: string | undefined;
  /** null: no provider is set up. */
  oidc: Oidc | null;
  /** Of whom a second factor is asked. */
  strongRoles: readonly Role[];
  /** Of passkeys. */
  challenges: Challenges;
  /** Of access tokens. throws  unavailable, where there is no keyring */
  tokens(): Tokens;
  /** Path of the journal of what was forgotten: a restore repeats it. */
  forgetJournal: string;
  /** How many are taken at a site (seats.ts). */
  seats(siteId: string): Promise<number>;
}

const BACK = 'put the one of then back; if it is lost, scripts/setup-link makes a new owner';

/** At the start: of whom second factors are asked from now on, and a restore without the keyring of then is told before anybody tries to sign in. */
export async function tellKeyring({ db, log, vault, isConfigured, strongRoles }: Accounts): Promise<void> {
  await inAccounts(db, async (tx) => {
    await askForSecondFactors(tx, strongRoles, null);
    if (isConfigured) return vault().reload(tx);
    const accounts = await countUsers(tx);
    if (accounts > 0)
      log.error({ accounts }, `ACCOUNT_KEYS is not set, so nobody can sign in: set it, and ${BACK}`);
  });
}

export function openAccounts(config: Config, db: Pool, sites: SiteDirectory, log: Log): Accounts {
  const vault = openVault(config.ACCOUNT_KEYS, (unopened) =>
    log.error({ unopened }, `ACCOUNT_KEYS does not open keys of accounts; ${BACK}`),
  );
  const hasher = vault && makeHasher(vault.keyring.pepper);
  const tokens = vault && makeTokens(vault.keyring, config.PUBLIC_URL ?? 'marketing-api');
  return {
    db,
    sites,
    log,
    vault: () => needed(vault),
    hasher: () => {
      needed(vault);
      return hasher!;
    },
    mustHavePlace: () => hasher?.mustHavePlace(),
    isConfigured: vault !== null,
    guard: makeGuard(config.RATE_LIMITS === 'on'),
    mayStrangersWrite: sparingly(STRANGERS_PER_MINUTE),
    post: openPost(config, vault, db, log),
    publicUrl: config.PUBLIC_URL,
    oidc: openOidc(config, log),
    strongRoles: config.SECOND_FACTOR === 'everybody' ? ['owner', ...SITE_ROLES] : STRONG_ROLES,
    challenges: makeChallenges(),
    tokens: () => {
      needed(vault);
      return tokens!;
    },
    forgetJournal: forgetJournalOf(config),
    seats: (siteId) => countSeats(db, siteId),
  };
}

/** What nobody may take as a password here: the names of the sites and of the product. */
export const namesHere = ({ sites }: Accounts): string[] => [
  'marketing',
  ...sites.list().flatMap(({ name, key, domain }) => [name, key, ...(domain ? [domain] : [])]),
];
