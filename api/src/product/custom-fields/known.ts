// The custom fields of all sites, kept in memory: every form and event asks, and they change a few times a year.
import type { Channel } from '../../ground/db/listen.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Log } from '../../ground/lib/log.ts';
import { hasPersonalProp, listAllFields } from './queries.ts';
import type { CustomField } from './schema.ts';
import type { Field } from './values.ts';

const RELOAD_MS = 10_000;
/** Where changes are heard, in case one was not. */
const RELOAD_HEARING_MS = 60_000;
const NONE: readonly Field[] = [];

/** Where a value comes from: a form's fields, or an event's props, in which a visitor's own stand too. */
type From = 'form' | 'props';

export interface CustomFields {
  of(siteId: string, from: From): readonly Field[];
  /** A known visitor's own. */
  ofVisitor(siteId: string): readonly Field[];
  reload(): Promise<void>;
  /** Another process's changes; while they are not heard the fields are read every 10 s. */
  channel: Channel;
  close(): void;
}

/** Whether a prop of this name is a personal field of the site: in the numbers nobody sees its values. Inside inSites. */
export const isPersonalProp = (db: Db, siteId: string, name: string): Promise<boolean> =>
  hasPersonalProp(db, siteId, name);

export async function knownFields(db: Pool, sites: { ids(): string[] }, log: Log): Promise<CustomFields> {
  let all = new Map<string, CustomField[]>();
  let readAt = 0;
  let asked = 0;
  let shown = 0;
  async function reload(): Promise<void> {
    asked += 1;
    const turn = asked;
    const ids = sites.ids();
    const listed = ids.length > 0 ? await inSites(db, ids, listAllFields) : [];
    // one that was asked before and answers later knows less
    if (turn < shown) return;
    shown = turn;
    all = Map.groupBy(listed, ({ siteId, on }) => `${siteId} ${on}`);
    readAt = performance.now();
  }
  await reload();
  const found = (siteId: string, on: CustomField['on']): readonly Field[] =>
    all.get(`${siteId} ${on}`) ?? NONE;
  const reloadAnyway = () => {
    reload().catch((err) => log.warn({ err }, 'custom fields could not be read anew'));
  };
  let hearing = false;
  const timer = setInterval(() => {
    if (!hearing || performance.now() - readAt >= RELOAD_HEARING_MS) reloadAnyway();
  }, RELOAD_MS).unref();
  return {
    of(siteId, from) {
      if (all.size === 0) return NONE;
      if (from === 'form') return found(siteId, 'lead');
      const [events, visitors] = [found(siteId, 'event'), found(siteId, 'visitor')];
      return visitors.length === 0 ? events : [...events, ...visitors];
    },
    ofVisitor: (siteId) => found(siteId, 'visitor'),
    reload,
    channel: {
      name: 'custom_fields_changed',
      heard: reloadAnyway,
      hears(changes) {
        // what changed before this moment was not heard
        if (changes && !hearing) reloadAnyway();
        hearing = changes;
      },
    },
    close: () => clearInterval(timer),
  };
}
