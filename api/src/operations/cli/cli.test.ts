// The words of the command line: what the table doesn't name is refused, and neither that nor help loads the product.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { help } from './help.ts';
import { parse } from './parse.ts';
import { UsageFault, type Verb } from './verb.ts';
import { verbs } from './verbs.ts';

const CLI = fileURLToPath(new URL('../../cli.ts', import.meta.url));
/** Tells on a descriptor of its own which files the process loaded. */
const SPY = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  import { writeSync } from 'node:fs';
  registerHooks({ load(url, context, next) { writeSync(3, url + '\\n'); return next(url, context); } });
`)}`;

/** environment  nothing is inherited but the PATH: a verb that ran would find no database */
function run(args: string[], environment: Record<string, string> = {}) {
  const { status, output } = spawnSync(process.execPath, ['--import', SPY, CLI, ...args], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  const [, stdout = '', stderr = '', urls = ''] = output as string[];
  const root = new URL('../../../', import.meta.url).href;
  const loaded = urls
    .split('\n')
    .flatMap((url) => (url && !url.startsWith('node:') ? url.replace(root, '') : []));
  return { status, stdout: stdout!, stderr: stderr!, loaded };
}

/** Package and product: all that is neither the command line's own table nor the small ground it stands on. */
const productOf = (loaded: string[]) =>
  loaded.filter(
    (file) =>
      !/^src\/(cli|operations\/cli\/(help|parse|print|verb|verbs)|ground\/lib\/(days|version))\.ts$/.test(
        file,
      ),
  );

/** Words that fit, so that only the misspelling is wrong. */
function fitting({ words, takes, options = {} }: Verb): string[] {
  const samples = {
    FILE: 'a-file',
    ADDRESS: 'ada@example.com',
    KEY: 'bakery',
    DAY: '2026-01-31',
    INSTANT: '2026-01-31T02:15:00.000Z',
  };
  const needed = Object.entries(options).flatMap(([name, { value, needed }]) =>
    needed && value ? [`--${name}`, samples[value]] : [],
  );
  return [...words.split(' '), ...(takes?.needed ? ['a-file'] : []), ...needed];
}

/** Refused by the table alone. */
function refused(args: string[], what: RegExp) {
  assert.throws(
    () => parse(args, verbs),
    (error) => error instanceof UsageFault && what.test(error.message) && !error.message.includes('\n'),
    `${args.join(' ')} should be refused: ${what}`,
  );
}

for (const verb of verbs) {
  const { words, options = {}, takes } = verb;
  test(`marketing ${words} does nothing when an option is misspelt, and says which there are`, () => {
    const { status, stdout, stderr, loaded } = run([...fitting(verb), '--mispelt']);
    assert.deepEqual([status, stdout], [2, ''], stderr);
    assert.match(
      stderr,
      /^marketing .*did nothing: there is no option --mispelt; it is used as: marketing [^\n]*\n$/,
    );
    assert.ok(loaded.includes('src/cli.ts'), 'the spy sees what is loaded');
    assert.deepEqual(productOf(loaded), []);
    const known = Object.keys(options);
    const slip = known[0] ? `--${known[0].replace(/-|.$/, '')}` : '--dry-run';
    refused(
      [...fitting(verb), slip],
      new RegExp(known[0] ? `no option ${slip};.*--${known[0]}` : 'without options'),
    );
  });

  test(`marketing ${words} does nothing with a word too many or an option without its value`, () => {
    const words = [...fitting(verb), ...(takes && !takes.needed ? ['a-name'] : [])];
    refused([...words, 'surplus'], /the word surplus is too much/);
    for (const [name, { value }] of Object.entries(options)) {
      const others = words.filter((word, at) => word !== `--${name}` && words[at - 1] !== `--${name}`);
      if (value) refused([...others, `--${name}`], new RegExp(`--${name} needs `));
      else refused([...others, `--${name}=true`], new RegExp(`--${name} takes no value`));
    }
  });
}

test('words that cannot be meant are refused with the way to say it', () => {
  const cases: [string[], RegExp][] = [
    [['bakcup'], /there is no verb bakcup; the verbs are backup, verify, /],
    [['constructor'], /there is no verb constructor/],
    [[''], /there is no verb an empty word/],
    [['retention'], /a word is missing; it is used as: marketing retention purge \[--dry-run\]/],
    [['retention', '--dry-run'], /a word is missing/],
    [['journal', 'reply'], /there is no journal reply; .*journal replay --since INSTANT/],
    [['journal', 'replay'], /--since is missing/],
    [['journal', 'replay', '--since', 'yesterdy'], /--since needs a moment such as .*, not yesterdy/],
    [['rollups', 'backfil'], /there is no rollups backfil; .*rollups backfill --from DAY --to DAY/],
    [['rollups', '--sites', 'bakery'], /there is no option --sites/],
    [['rollups', 'backfill', '--from', '2026-01-31'], /--to is missing/],
    [
      ['rollups', 'run', '--from', '2026-02-30', '--to', '2026-03-01'],
      /--from needs a day .*, not 2026-02-30/,
    ],
    [['rollups', 'run', '--from', '--to', '2026-03-01'], /--from needs a day/],
    [['rollups', 'run', '--site', ''], /--site needs a site's key or id, not an empty word/],
    [['rollups', 'run', '--site', 'bakery', '--site', 'default'], /--site is given twice/],
    [['restore'], /FILE is missing/],
    [['restore', ''], /FILE is missing/],
    [['jobs', ''], /NAME is empty/],
    [['backup', '--__proto__'], /there is no option --__proto__/],
  ];
  for (const [args, what] of cases) refused(args, what);
});

test('words that fit reach their verb as they were meant', () => {
  const asked = (...args: string[]) => {
    const found = parse(args, verbs);
    return 'verb' in found && { words: found.verb.words, options: { ...found.options }, word: found.word };
  };
  assert.deepEqual(asked('retention', 'purge'), {
    words: 'retention purge',
    options: { 'dry-run': false },
    word: '',
  });
  assert.deepEqual(asked('retention', 'purge', '--dry-run'), {
    words: 'retention purge',
    options: { 'dry-run': true },
    word: '',
  });
  assert.deepEqual(asked('rollups', '--from=2026-01-30', '--to', '2026-01-31'), {
    words: 'rollups run',
    options: { from: '2026-01-30', to: '2026-01-31' },
    word: '',
  });
  assert.deepEqual(asked('inspect', '--identity', 'key', 'a-file'), {
    words: 'inspect',
    options: { identity: 'key', 'from-another-installation': false },
    word: 'a-file',
  });
  assert.deepEqual(asked('jobs'), { words: 'jobs', options: { 'dry-run': false }, word: '' });
  for (const verb of verbs)
    assert.equal((asked(...fitting(verb)) as { words: string }).words, verb.words, verb.words);
});

test('an option that npm run kept for itself is not taken for one that was not said', () => {
  const underNpm = { npm_lifecycle_event: 'retention:purge', npm_config_dry_run: 'true' };
  const swallowed = () => parse(['retention', 'purge'], verbs, underNpm);
  assert.throws(
    swallowed,
    (error) => error instanceof UsageFault && /npm kept --dry-run .*write -- before it/.test(error.message),
  );
  parse(['retention', 'purge', '--dry-run'], verbs, underNpm);
  parse(['retention', 'purge'], verbs, { npm_config_dry_run: 'true' });
});

test('help names every verb and every option', () => {
  for (const words of [['help'], ['--help'], ['-h'], []]) {
    const { status, stdout, stderr } = run(words);
    assert.deepEqual([status, stderr], [0, '']);
    for (const { words, does, options = {} } of verbs) {
      const entry = stdout.split('\n\n').find((text) => text.trim().startsWith(`marketing ${words}`));
      assert.ok(entry, words);
      assert.ok(entry.includes(does), words);
      for (const name of Object.keys(options)) assert.ok(entry.includes(`--${name}`), `${words} --${name}`);
    }
  }
});

test('a verb tells its options instead of running, whichever way it is asked', () => {
  const told = (...args: string[]) => {
    const asked = parse(args, verbs);
    assert.ok('help' in asked, args.join(' '));
    return help(asked.help, 'unreleased');
  };
  for (const verb of verbs) {
    const stdout = told(...fitting(verb), '--help');
    assert.ok(stdout.includes(verb.does), verb.words);
    for (const [name, { does }] of Object.entries(verb.options ?? {}))
      assert.ok(
        stdout.split('\n').some((line) => line.trim().startsWith(`--${name}`) && line.includes(does)),
        name,
      );
  }
  const family = told('rollups', '--help');
  assert.deepEqual(
    [...family.matchAll(/^marketing (rollups \w+)/gm)].map((found) => found[1]),
    verbs.flatMap(({ words }) => (words.startsWith('rollups ') ? words : [])),
  );
  assert.equal(told('help', 'rollups'), family);
  assert.equal(told('rollups', '-h'), family);
});

test('help loads nothing of the product; a verb that runs does', () => {
  for (const words of [['help'], ['retention', 'purge', '--help'], ['bakcup']]) {
    const { loaded } = run(words);
    assert.ok(loaded.includes('src/operations/cli/verbs.ts'));
    assert.deepEqual(productOf(loaded), [], words.join(' '));
  }
  const real = run(['verify']);
  assert.equal(real.status, 3);
  assert.match(real.stderr, /^verify: These settings are not right:/);
  assert.ok(productOf(real.loaded).some((file) => file.startsWith('node_modules/pg/')));
});
