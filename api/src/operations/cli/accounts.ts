// marketing account …: people who sign in, for whoever has the machine.
import { servingUrl } from '../../ground/db/migrate.ts';
import { makePool, type Pool } from '../../ground/db/pool.ts';
import { makeLog } from '../../ground/lib/log.ts';
import { setupLink } from '../../product/accounts/first-owner.ts';
import {
  accountLines,
  disableFromMachine,
  enableFromMachine,
  resetFromMachine,
} from '../../product/accounts/machine.ts';
import { needed, openVault, type Vault } from '../../product/accounts/vault.ts';
import { knownSites } from '../../product/sites/recognise.ts';
import { noteNumbers } from './numbers.ts';
import { print } from './print.ts';
import { settings } from './settings.ts';

async function opened(work: (db: Pool, vault: Vault, publicUrl: string | undefined) => Promise<void>) {
  const config = settings();
  const vault = needed(openVault(config.ACCOUNT_KEYS));
  const url = await servingUrl(config);
  const db = makePool(url, {
    name: 'cli',
    connectionsMax: 2,
    statementTimeoutMs: 60_000,
    log: makeLog('warn'),
  });
  try {
    await work(db, vault, config.PUBLIC_URL);
  } finally {
    await db.end();
  }
}

export const setup = (): Promise<void> =>
  opened(async (db, _vault, publicUrl) => print(await setupLink(db, publicUrl)));

export const list = (): Promise<void> =>
  opened(async (db, vault) => {
    const sites = await knownSites(db, [], makeLog('warn'));
    const lines = await accountLines(db, vault, (siteId) => sites.find(siteId)?.key);
    sites.close();
    noteNumbers({ lines: lines.length });
    print(
      lines.length > 0 ? lines.join('\n') : 'There is no account yet: scripts/setup-link makes the first.',
    );
  });

export const reset = (address: string, withFactors: boolean): Promise<void> =>
  opened(async (db, vault, publicUrl) =>
    print(await resetFromMachine(db, vault, address, publicUrl, withFactors)),
  );

export const disable = (address: string): Promise<void> =>
  opened(async (db, vault) => {
    const sessions = await disableFromMachine(db, vault, address);
    noteNumbers({ sessions });
    print(`disabled; ${sessions} sessions ended`);
  });

export const enable = (address: string): Promise<void> =>
  opened(async (db, vault) => {
    await enableFromMachine(db, vault, address);
    print('may sign in again');
  });
