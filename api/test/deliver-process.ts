// A process that delivers what is due and ends, unless it is killed.

import { makePool } from '../src/ground/db/pool.ts';
import { makeLog } from '../src/ground/lib/log.ts';
import { openVault } from '../src/product/accounts/vault.ts';
import { openOutbox } from '../src/product/outbox/outbox.ts';
import { openDeliverer } from '../src/product/webhooks/deliver.ts';
import { reachLocal } from './receiver.ts';

const [url, siteId] = process.argv.slice(2) as [string, string];
const log = makeLog('silent');
const db = makePool(url, { name: 'crowd', connectionsMax: 4, statementTimeoutMs: 10_000, log });
const vault = openVault(process.env.ACCOUNT_KEYS);
const sites = { ids: () => [siteId] };
const deliverer = openDeliverer({ db, sites, vault, outbox: openOutbox(db, log), reach: reachLocal, log });
await deliverer.deliver();
await deliverer.close();
await db.end();
process.disconnect?.();
