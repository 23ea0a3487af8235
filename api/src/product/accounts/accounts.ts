// What accounts need while the process runs: the vault, the queue of passwords, the guard against guessing, the facts of this
// installation.
import type { Config } from '../../config.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import { forgetJournalOf } from '../captures/start.ts';
import { type Guard, makeGuard } from './guard.ts';
import { type Hasher, makeHasher } from './hasher.ts';
import { openPost, type Post } from './post.ts';
import { needed, openVault, type Vault } from './vault.ts';

export interface Accounts {
  db: Pool;
  sites: SiteDirectory;
  log: Log;
  /** throws  unavailable, where there is no keyring */
  vault(): Vault;
  hasher(): Hasher;
  /** Without a keyring nobody can have an account. */
  isConfigured: boolean;
  guard: Guard;
  post: Post;
  publicUrl: string | undefined;
  /** Path of the journal of what was forgotten: a restore repeats it. */
  forgetJournal: string;
}

export function openAccounts(config: Config, db: Pool, sites: SiteDirectory, log: Log): Accounts {
  const vault = openVault(config.ACCOUNT_KEYS, (unopened) =>
    log.error({ unopened }, 'ACCOUNT_KEYS does not open keys of accounts; put the one of then back'),
  );
  const hasher = vault && makeHasher(vault.keyring.pepper);
  return {
    db,
    sites,
    log,
    vault: () => needed(vault),
    hasher: () => {
      needed(vault);
      return hasher!;
    },
    isConfigured: vault !== null,
    guard: makeGuard(config.RATE_LIMITS === 'on'),
    post: openPost(config, vault, log),
    publicUrl: config.PUBLIC_URL,
    forgetJournal: forgetJournalOf(config),
  };
}

/** What nobody may take as a password here: the names of the sites and of the product. */
export const namesHere = ({ sites }: Accounts): string[] => [
  'marketing',
  ...sites.list().flatMap(({ name, key, domain }) => [name, key, ...(domain ? [domain] : [])]),
];

export async function newId(db: Db): Promise<string> {
  return (await db.query<{ id: string }>('select uuidv7() as id')).rows[0]!.id;
}
