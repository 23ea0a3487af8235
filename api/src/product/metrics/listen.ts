// Hears what other processes did to the numbers (migration 0013) and ends the answers kept here.
import type { Channel } from '../../ground/db/listen.ts';
import type { MetricsCache } from './cache.ts';

export const metricsChannel = (cache: Pick<MetricsCache, 'clear' | 'hears'>): Channel => ({
  name: 'metrics_changed',
  heard: (payload) => cache.clear(payload ? payload.split(',').filter(Boolean) : undefined),
  // what changed before it was heard was not: until then nothing is kept
  hears: (isListening) => cache.hears(isListening),
});
