// Recorded days: events with their own times of arrival, through the real ingestion statement.
import { createHash } from 'node:crypto';
import type { Pool } from '../src/ground/db/pool.ts';
import { type ArrivedEvent, visitorIdOf } from '../src/product/events/enrich.ts';
import { ingestEvents } from '../src/product/events/queries.ts';

/** A uuid that is always the same for the same name. */
export function idOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export type Recorded = Partial<ArrivedEvent> & { id: string; visitor: string; at: string; type?: string };

export function arrivedEvent(siteId: string, given: Recorded): ArrivedEvent {
  const { id, visitor, at, type, ...fields } = given;
  return {
    site_id: siteId,
    event_id: idOf(`${siteId} ${id}`),
    visitor_id: visitorIdOf(siteId, visitor),
    client_at: at,
    received_at: at,
    event_type: type ?? 'page_view',
    path: '/',
    source: 'direct',
    privacy_signal: false,
    is_conversion: false,
    device_type: 'desktop',
    ...fields,
  };
}

/** Sends them in batches of at most `size`, in the order given; ids that repeat within a batch go in the next one. */
export async function record(app: Pool, siteId: string, events: Recorded[], size = 50): Promise<void> {
  const rows = events.map((event) => arrivedEvent(siteId, event));
  let batch = new Map<string, ArrivedEvent>();
  const flush = async () => {
    if (batch.size > 0) await ingestEvents(app, [...batch.values()], new Map(), 30);
    batch = new Map();
  };
  for (const row of rows) {
    if (batch.has(row.event_id) || batch.size >= size) await flush();
    batch.set(row.event_id, row);
  }
  await flush();
}

export async function partitions(owner: Pool, from: string, to: string): Promise<void> {
  await owner.query('select make_event_partitions($1, $2)', [from, to]);
}
