// Every verb of the command line, on one page: its words, what it takes, what it is for. Parsing and help are made of this
// table alone, and a verb's module is loaded when it runs: help, or a slip of the pen, never loads the product.
import { type Option, type Verb, verb } from './verb.ts';

const identity = { value: 'FILE', does: 'the age private key that opens an encrypted backup' } as const;
const site = { value: 'KEY', does: 'one site only, by its key or id; without it all sites' } as const;
const from = { value: 'DAY', does: 'first day, of the site’s zone' } as const;
const to = { value: 'DAY', does: 'last day, itself included' } as const;
const another = { does: 'it may be of another installation' } as const satisfies Option;
const dryRun = { does: 'tells what would go, and changes nothing' } as const satisfies Option;

export const verbs: readonly Verb[] = [
  verb({
    words: 'backup',
    people: 'shows',
    does: 'makes a backup, reads it back, copies it off the machine where that is set up',
    options: {
      name: { does: 'prints only its name' },
      'no-copy': { does: 'leaves copies elsewhere to the hourly job' },
    },
    run: async ({ name, 'no-copy': stays }) =>
      (await import('./backups.ts')).backup({ nameOnly: name, copy: !stays }),
  }),
  verb({
    words: 'verify',
    people: 'nothing',
    does: 'restores the newest backup into a scratch database and compares it',
    run: async () => (await import('./backups.ts')).verify(),
  }),
  verb({
    words: 'newest',
    people: 'nothing',
    does: 'prints the name of the newest backup',
    options: { plain: { does: 'of the newest one in the clear' } },
    run: async ({ plain }) => (await import('./backups.ts')).newest({ plain }),
  }),
  verb({
    words: 'inspect',
    people: 'nothing',
    does: 'checks a backup as far as that is possible without a database',
    takes: { name: 'FILE', needed: true },
    options: { identity, 'from-another-installation': another },
    run: async ({ identity, 'from-another-installation': fromAnother }, file) =>
      (await import('./backups.ts')).inspect(file, { identity, fromAnother }),
  }),
  verb({
    words: 'restore',
    people: 'changes',
    does: 'puts a backup in the place of the database; the API must be stopped (use scripts/restore)',
    takes: { name: 'FILE', needed: true },
    options: { identity, 'from-another-installation': another },
    run: async ({ identity, 'from-another-installation': fromAnother }, file) =>
      (await import('./restore.ts')).restore(file, { identity, fromAnother }),
  }),
  verb({
    words: 'restore-finish',
    people: 'changes',
    does: 'drops the named database that was put aside, once the live one serves; without a name tells which there are',
    takes: { name: 'NAME', needed: false },
    run: async (_options, name) => (await import('./restore.ts')).finish(name),
  }),
  verb({
    words: 'restore-undo',
    people: 'changes',
    does: 'puts the named database back and prints the name of the one it replaced; the API must be stopped',
    takes: { name: 'NAME', needed: true },
    run: async (_options, name) => (await import('./restore.ts')).undo(name),
  }),
  verb({
    words: 'snapshot',
    people: 'shows',
    does: 'keeps a copy of the database beside it and prints its name, for restore-undo; the API must be stopped',
    run: async () => (await import('./restore.ts')).snapshot(),
  }),
  verb({
    words: 'offsite',
    people: 'shows',
    does: 'brings copies elsewhere that are missing there, and forgets old ones, now (the API does it every hour)',
    run: async () => (await import('./offsite.ts')).bringNow(),
  }),
  verb({
    words: 'check-offsite',
    people: 'nothing',
    does: 'tries the places for copies with a small file: written, read back, listed, removed',
    run: async () => (await import('./offsite.ts')).check(),
  }),
  verb({
    words: 'list-backups',
    people: 'nothing',
    does: 'lists every backup, here and elsewhere, with its date, its size and whether it was restored on trial',
    options: { json: { does: 'for machines' } },
    run: async (options) => (await import('./offsite.ts')).list(options),
  }),
  verb({
    words: 'fetch-offsite',
    people: 'shows',
    does: 'fetches a backup from elsewhere ("latest", or its name), compares it with its manifest, prints its path',
    takes: { name: 'NAME', needed: true },
    options: { to: { value: 'FILE', does: 'folder for it; without one DATA_DIR/incoming' } },
    run: async ({ to }, name) => (await import('./offsite.ts')).fetch(name, to),
  }),
  verb({
    words: 'migrations',
    people: 'nothing',
    does: 'prints the migrations this release knows',
    options: { done: { does: 'those the database has seen' } },
    run: async ({ done }) => (await import('./migrations.ts')).migrations({ done }),
  }),
  verb({
    words: 'journal replay',
    people: 'changes',
    does: 'repeats erasures and withdrawals asked for since then (a restore does it by itself)',
    options: { since: { value: 'INSTANT', needed: true, does: 'the moment of the backup' } },
    run: async ({ since }) => (await import('./journal.ts')).replay(since),
  }),
  verb({
    words: 'journal retry',
    people: 'changes',
    does: 'puts leads, unsubscribes and confirmations that could not be stored back into the journal, to be tried again',
    run: async () => (await import('./journal.ts')).retry(),
  }),
  verb({
    words: 'rollups run',
    people: 'nothing',
    byDefault: true,
    does: 'counts the days anew that were marked, or those that are named',
    options: { from, to, site },
    run: async (options) => (await import('./jobs.ts')).rollUp(options),
  }),
  verb({
    words: 'rollups backfill',
    people: 'nothing',
    does: 'counts the named days anew',
    options: { from: { ...from, needed: true }, to: { ...to, needed: true }, site },
    run: async (options) => (await import('./jobs.ts')).rollUp(options),
  }),
  verb({
    words: 'rollups status',
    people: 'nothing',
    does: 'prints how far the numbers are, a line for each site',
    options: { site },
    run: async (options) => (await import('./jobs.ts')).rollupsStatus(options.site),
  }),
  verb({
    words: 'rollups discrepancy',
    people: 'nothing',
    does: 'compares the numbers with the raw rows; exit status 1 when they differ',
    options: { from, to, site },
    run: async (options) => (await import('./jobs.ts')).discrepancy(options),
  }),
  verb({
    words: 'retention purge',
    people: 'changes',
    does: 'forgets what is older than the policy says',
    options: { 'dry-run': dryRun },
    run: async (options) => (await import('./jobs.ts')).purge({ dryRun: options['dry-run'] }),
  }),
  verb({
    words: 'jobs',
    people: 'changes',
    does: 'runs any job now and waits for it; without a name tells which there are. A job refuses options it has no use for',
    takes: { name: 'NAME', needed: false },
    options: { from, to, site, 'dry-run': dryRun },
    run: async ({ 'dry-run': dry, ...range }, name) =>
      (await import('./jobs.ts')).jobs(name, { ...range, dryRun: dry || undefined }),
  }),
  verb({
    words: 'account setup',
    people: 'changes',
    does: 'prints a link that makes an owner, good for a day and once (use scripts/setup-link)',
    run: async () => (await import('./accounts.ts')).setup(),
  }),
  verb({
    words: 'account list',
    people: 'shows',
    does: 'prints who has an account, and what they are at which site',
    run: async () => (await import('./accounts.ts')).list(),
  }),
  verb({
    words: 'account reset',
    people: 'changes',
    does: 'prints a link for a new password, good for an hour and once',
    takes: { name: 'ADDRESS', needed: true },
    options: { 'second-factor': { does: 'removes their second factor too, which they lost' } },
    run: async (options, address) => (await import('./accounts.ts')).reset(address, options['second-factor']),
  }),
  verb({
    words: 'account disable',
    people: 'changes',
    does: 'shuts somebody out and ends their sessions',
    takes: { name: 'ADDRESS', needed: true },
    run: async (_options, address) => (await import('./accounts.ts')).disable(address),
  }),
  verb({
    words: 'account enable',
    people: 'changes',
    does: 'lets somebody in again who was disabled',
    takes: { name: 'ADDRESS', needed: true },
    run: async (_options, address) => (await import('./accounts.ts')).enable(address),
  }),
  verb({
    words: 'status',
    people: 'nothing',
    does: 'everything at a glance; exit status 1 when something needs a person',
    options: { json: { does: 'for machines' } },
    run: async (options) => (await import('./service.ts')).status(options),
  }),
  verb({
    words: 'canary',
    people: 'nothing',
    does: 'sends an event and a lead through, reads the number, erases the lead: does this release really work?',
    run: async () => (await import('./service.ts')).sendCanary(),
  }),
  verb({
    words: 'alarm',
    people: 'nothing',
    does: 'with --test: sends a trial to where alarms go, and says what became of it',
    options: {
      test: { does: 'sends it' },
      'cut-off': {
        does: 'sends the words on standard input as the alarm change_cut (scripts/watchdog does)',
      },
    },
    run: async (options) => (await import('./trials.ts')).alarm(options),
  }),
  verb({
    words: 'mail',
    people: 'nothing',
    does: 'sends a trial mail, as the product sends its own, and says what the mail server answered',
    options: { test: { value: 'ADDRESS', needed: true, does: 'whom to' } },
    run: async (options) => (await import('./trials.ts')).mail(options),
  }),
  verb({
    words: 'database-password',
    people: 'nothing',
    does: 'gives the owner of the database the password on standard input (use scripts/rotate database-password)',
    run: async () => (await import('./secrets.ts')).databasePassword(),
  }),
  verb({
    words: 'pepper-check',
    people: 'nothing',
    does: 'compares the pepper in use with those of the backups here, and with one on standard input',
    run: async () => (await import('./secrets.ts')).pepperCheck(),
  }),
  verb({
    words: 'check-setting',
    people: 'nothing',
    does: 'says whether a setting may have the value on standard input, and what restarts for it (scripts/set asks)',
    takes: { name: 'NAME', needed: true },
    run: async (_options, name) => (await import('./check-setting.ts')).check(name),
  }),
  verb({
    words: 'check-settings',
    people: 'nothing',
    does: 'says whether a start would take the settings as they stand (scripts/set asks, before it takes many)',
    run: async () => (await import('./check-setting.ts')).checkAll(),
  }),
  verb({
    words: 'version',
    people: 'nothing',
    does: 'prints which release this is',
    run: async () => (await import('./version.ts')).showVersion(),
  }),
];
