// What integrations need while the process runs: who they are, in memory, and what becomes of their deliveries, those of the
// journal too.
import type { Channel } from '../../ground/db/listen.ts';
import type { Pool } from '../../ground/db/pool.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Leads } from '../captures/start.ts';
import { eraseAt } from '../erasure/erase.ts';
import type { Forget } from '../erasure/forget.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { settleBilled } from '../plans/billed.ts';
import type { Sites } from '../sites/recognise.ts';
import { DELIVERY, type Delivery, type DeliveryNeeds, type Received, storeDelivery } from './deliveries.ts';
import { knowIntegrations } from './known.ts';
import { type Came, receive } from './receive.ts';

export interface Integrations {
  /** throws  not_found, invalid_signature, malformed_json, unavailable */
  receive(integrationId: string, came: Came): Promise<Received>;
  /** Knows one as it is now: it was made, changed or ended here. Never throws. */
  learn(integrationId: string): Promise<void>;
  channel: Channel;
}

interface Parts {
  db: Pool;
  sites: Pick<Sites, 'ids' | 'find' | 'reload' | 'stopOf'>;
  accounts: Pick<Accounts, 'vault' | 'isConfigured' | 'seats'>;
  leads: Pick<Leads, 'hashAddress' | 'journal' | 'keep' | 'plays'>;
  outbox: Pick<Outbox, 'wrote'>;
  forget: Forget;
  /** BACKUP_RETENTION_DAYS */
  backupDays: number;
  log: Log;
}

export async function openIntegrations(parts: Parts): Promise<Integrations> {
  const { db, sites, accounts, leads, outbox, forget, backupDays, log } = parts;
  const { hashAddress, journal, keep } = leads;
  const erasing = { db, forget, hashAddress, journal, backupDays };
  const needs: DeliveryNeeds = {
    db,
    outbox,
    hashAddress,
    erase: (siteId, normalized, at) => eraseAt(erasing, siteId, normalized, at, 'told by a shop'),
    async settlePlan(siteId) {
      try {
        const { given } = await settleBilled(db, accounts.seats, [siteId]);
        if (given > 0) await sites.reload();
      } catch (err) {
        log.warn({ err }, 'a plan that is paid for was not given yet; the job billed_plans tries again');
      }
    },
  };
  leads.plays(DELIVERY, (body) => storeDelivery(needs, body as Delivery));
  const known = await knowIntegrations({
    db,
    sites,
    vault: accounts.isConfigured ? accounts.vault() : null,
    log,
  });
  return {
    channel: known.channel,
    learn: known.learn,
    receive: (integrationId, came) => receive({ ...needs, known, keep, sites }, integrationId, came),
  };
}
