// The jobs of the numbers: count, compare, balance.
import type { z } from 'zod';
import type { Config } from '../../config.ts';
import type { Pool } from '../../ground/db/pool.ts';
import { MACHINE } from '../../ground/http/caller.ts';
import { siteNamed } from '../../ground/http/which-site.ts';
import type { Job } from '../../ground/jobs/runner.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';
import type { Ledger } from '../events/ledger.ts';
import type { Sites } from '../sites/recognise.ts';
import type { MetricsCache } from './cache.ts';
import { rangeOptions } from './range.ts';
import { checkLedger, findDiscrepancies, rollUp } from './rollup.ts';

export interface MetricsWork {
  db: Pool;
  config: Config;
  /** Refusals sit in memory up to a second: whoever counts has them written first. Absent where nothing is received. */
  ledger?: Pick<Ledger, 'flush'>;
  sites: Sites;
  /** Cleared when a rollup has finished. */
  metrics: MetricsCache;
}

type Range = z.output<typeof rangeOptions>;

export function metricsJobs({ db, ledger, sites, metrics }: MetricsWork): Job[] {
  const chosen = async (propertyId?: string) =>
    propertyId ? [(await siteNamed(sites, MACHINE, propertyId)).siteId] : sites.ids();
  return [
    {
      name: 'rollup',
      cron: '* * * * *',
      minutesMax: 60,
      why: 'reports read only rollups: visits that changed are counted again, and whole days that were marked',
      options: rangeOptions,
      async run({ options, trigger, signal, progress }) {
        const { from, to, propertyId } = options as Range;
        await ledger?.flush();
        const done = await rollUp(db, {
          from,
          to,
          siteIds: await chosen(propertyId),
          patient: trigger !== 'by_hand',
          signal,
          progress,
        });
        if (done.days > 0) metrics.clear();
        return { ...done };
      },
    },
    {
      name: 'discrepancy',
      cron: '20 4 * * *',
      minutesMax: 60,
      why: 'a wrong number is worse than none: raw rows counted plainly against every rollup that still has them',
      options: rangeOptions,
      async run({ options, signal, log }) {
        const { from, to, propertyId } = options as Range;
        await ledger?.flush();
        const today = dayOf(Date.now());
        const found = await findDiscrepancies(db, {
          from: from ?? addDays(today, -367),
          to: to ?? addDays(today, 1), // only days that are over are compared; where is which is the site's
          siteIds: await chosen(propertyId),
          signal,
        });
        const discrepancies = found.differences.length + found.leadsDiffering;
        if (discrepancies > 0)
          log.error(found, 'rollups differ from raw rows; the days are marked and counted again');
        return {
          ...found,
          discrepancies,
          differences: found.differences.slice(0, 20),
        };
      },
    },
    {
      name: 'ledger',
      cron: '35 4 * * *',
      why: 'nothing is silent: received = accepted + duplicate + rejected for every site and day, or someone is told',
      options: rangeOptions,
      async run({ options, log }) {
        const { from, to, propertyId } = options as Range;
        await ledger?.flush();
        const { days, unbalanced } = await checkLedger(db, {
          from: from ?? '-infinity', // all that is kept
          to: to ?? dayOf(Date.now()),
          siteIds: await chosen(propertyId),
        });
        if (unbalanced.length > 0) log.error({ unbalanced }, 'the ledger does not balance');
        return { days, imbalances: unbalanced.length, unbalanced: unbalanced.slice(0, 20) };
      },
    },
  ];
}
