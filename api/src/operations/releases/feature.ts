// A newer release: looked for once a day, where RELEASE_NOTICE is on, at the registry the image came from and nowhere else.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Config } from '../../config.ts';
import { type Feature, reading } from '../../ground/feature.ts';
import { utc } from '../../ground/http/fields.ts';
import { replaceDurably } from '../../ground/lib/durable.ts';
import { sendNotice } from '../alerts/send.ts';
import { alertSettings } from '../alerts/watch.ts';
import { newestOver, repositoryOf, tagsOf } from './registry.ts';

const shape = z.object({
  newer: z.string().nullable().describe('the newest release there, when it is newer than this one'),
  at: utc.describe('when it was looked for'),
});
type Seen = z.output<typeof shape>;

const pathOf = ({ DATA_DIR }: Pick<Config, 'DATA_DIR'>) => join(DATA_DIR, 'newer-release.json');

async function seen(config: Pick<Config, 'DATA_DIR'>): Promise<Seen | null> {
  try {
    return shape.parse(JSON.parse(await readFile(pathOf(config), 'utf8')));
  } catch {
    return null;
  }
}

/** Each newer release is told once, on the way that alarms go. */
export async function lookForRelease(config: Config, now = new Date()): Promise<Record<string, unknown>> {
  if (!config.RELEASE_NOTICE) return { asked: false };
  const repository = config.image ? repositoryOf(config.image) : null;
  if (!repository) return { asked: false, warnings: ['IMAGE names no registry that could be asked'] };
  const before = await seen(config);
  const newer = newestOver(config.version, await tagsOf(repository));
  const at = now.toISOString();
  await replaceDurably(pathOf(config), `${JSON.stringify({ newer, at } satisfies Seen)}\n`);
  if (newer && newer !== before?.newer)
    await sendNotice(
      {
        kind: 'notice',
        id: 'newer_release',
        severity: 'warning',
        message: sentence(newer, config.version),
        since: at,
      },
      alertSettings(config).recipients,
    );
  return { asked: true, newer };
}

const sentence = (newer: string, version: string): string =>
  `release ${newer} is there, this is ${version}: scripts/upgrade goes to it`;

export const releases: Feature<{ config: Config }, { config: Config }> = {
  name: 'releases',
  jobs: ({ config }) => [
    {
      name: 'newer_release',
      cron: '25 5 * * *',
      why: 'with RELEASE_NOTICE on: is there a newer release where the image came from? Each is told once',
      run: () => lookForRelease(config),
    },
  ],
  readings: [
    reading({
      name: 'newerRelease',
      shape,
      read: async ({ config }: { config: Config }) => {
        const found = await seen(config);
        // after an upgrade, what was newer is what runs
        return {
          newer: found?.newer ? newestOver(config.version, [found.newer]) : null,
          at: found?.at ?? new Date(0).toISOString(),
        };
      },
      line: ({ newer }) => newer && `${newer} is there: scripts/upgrade goes to it`,
    }),
  ],
};
