// Writes down in the audit log what the command line did with people, as the frame does for a route: which verb, by which
// options, how many; never an address.
import { basename } from 'node:path';
import { servingUrl } from '../../ground/db/migrate.ts';
import { makePool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { MACHINE } from '../../ground/http/caller.ts';
import { makeLog } from '../../ground/lib/log.ts';
import { noteLine } from '../../ground/noted.ts';
import { NO_SITE } from '../../ground/site.ts';
import { numbers } from './numbers.ts';
import { settings } from './settings.ts';
import { type KINDS, UsageFault, type Values, type Verb } from './verb.ts';

const DONE = 200;
const FAILED = 500;

/** Runs it, and writes down that it did; an act that cannot be written down is done all the same, and said on standard error. */
export async function runNoted(verb: Verb, options: Values, word: string): Promise<void> {
  const tell = (outcome: number) =>
    note(verb, options, word, outcome).catch((err: Error) => {
      process.stderr.write(
        `this could not be written into the audit log; note it yourself: ${err.message}\n`,
      );
    });
  try {
    await verb.run(options, word);
  } catch (err) {
    // wrong words did nothing
    if (!(err instanceof UsageFault)) await tell(FAILED);
    throw err;
  }
  await tell(process.exitCode ? FAILED : DONE);
}

async function note(verb: Verb, options: Values, word: string, outcome: number): Promise<void> {
  const config = settings();
  const url = await servingUrl(config);
  const db = makePool(url, {
    name: 'cli-audit',
    connectionsMax: 1,
    statementTimeoutMs: 15_000,
    log: makeLog('warn'),
  });
  try {
    await inSites(db, NO_SITE, (client) =>
      noteLine(client, {
        siteId: NO_SITE,
        actor: MACHINE.actor,
        action: `marketing ${verb.words}`,
        target: targetOf(verb, word),
        outcome,
        details: { ...saidOf(verb, options), ...numbers() },
      }),
    );
  } finally {
    await db.end();
  }
}

/** A file is known by its name; whose account it was stands in the record of sign-ins, by its id. */
const targetOf = ({ takes }: Verb, word: string) =>
  word && takes?.name !== 'ADDRESS' ? basename(word) : null;

/** What was given, but where a key or an address may stand. */
function saidOf({ options = {} }: Verb, given: Values): Record<string, unknown> {
  const isPrivate = (kind: keyof typeof KINDS | undefined) => kind === 'FILE' || kind === 'ADDRESS';
  return Object.fromEntries(
    Object.entries(given).filter(
      ([name, value]) => value !== undefined && value !== false && !isPrivate(options[name]?.value),
    ),
  );
}
