// Before anything is served: the database is waited for and brought up to this release, or somebody is told that it could not be.
import type { Config } from './config.ts';
import { type AnyFeature, functionsOf } from './features.ts';
import { isDatabaseAway } from './ground/db/faults.ts';
import { migrate } from './ground/db/migrate.ts';
import { refusePowerless } from './ground/db/privileges.ts';
import type { Log } from './ground/lib/log.ts';
import { type AlertSettings, startAlarm } from './operations/alerts/watch.ts';
import { refuseOtherPepper } from './operations/backups/pepper.ts';
import { connect } from './operations/backups/tools.ts';
import { noteRelease } from './product/notes/machine.ts';

const DATABASE_WAIT_MS_MAX = 120_000;

/** throws  what kept it from this release, once the alarm is told */
export async function bringUp(
  config: Config,
  features: readonly AnyFeature[],
  alarms: AlertSettings,
  log: Log,
): Promise<void> {
  await databaseAnswers(() => raise(config, features, log), log).catch(async (error: Error) => {
    await startAlarm(
      alarms,
      'The database could not be brought up to this release, so nothing is served',
      log,
    );
    throw error;
  });
}

async function raise(config: Config, features: readonly AnyFeature[], log: Log): Promise<void> {
  await refusePowerless(config.DATABASE_URL, {
    isAppNamed: config.DATABASE_APP_URL !== undefined,
    backsUp: config.BACKUPS === 'on',
  });
  await migrate(config.DATABASE_URL, functionsOf(features), log);
  // before the app's role gets a password that is made of it
  await refuseOtherPepper(config.DATABASE_URL, config.IP_HASH_PEPPER);
  await noteStart(config);
}

/** Once the schema is this release's: whoever looks at the numbers later sees from when on it ran. */
async function noteStart({ DATABASE_URL, version }: Config): Promise<void> {
  const client = await connect(DATABASE_URL);
  try {
    await noteRelease(client, version);
  } finally {
    await client.end().catch(() => {});
  }
}

/** A database that is still starting is waited for; anything else it says is an answer. */
async function databaseAnswers<T>(work: () => Promise<T>, log: Log): Promise<T> {
  const until = performance.now() + DATABASE_WAIT_MS_MAX;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isDatabaseAway(error) || performance.now() > until) throw error;
      log.warn({ err: error }, 'the database does not answer yet; trying again');
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
}
