// A Mac's bash is 3.2, from 2007: what it lacks, or reads otherwise, stands in no script; and each script says what it is for.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are bash's
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../scripts/', import.meta.url));
const names = readdirSync(folder).sort();

/** Every one came with bash 4.0 or later. */
const LATER: [RegExp, string][] = [
  [/\b(?:declare|local|typeset)\s+-\w*A/, 'associative arrays'],
  [/\b(?:declare|local|typeset)\s+-\w*[nlu]\b/, 'references, and variables of one case'],
  [/\b(?:mapfile|readarray|coproc)\b/, 'mapfile, readarray, coproc'],
  [/\$\{!?\w+(?:\[[^\]]*\])?(?:,,?|\^\^?)[^}]*\}/, 'capitals and small letters by ${x^^}, ${x,,}'],
  [/\$\{\w+(?:\[[^\]]*\])?@\w\}/, '${x@Q} and its kind'],
  [/\$\{\w+\[-\d+\]\}/, 'array indexes from the end'],
  [/(?<!\|)\|&/, '|&'],
  [/&>>/, '&>>'],
  [/;;?&(?!&)/, 'case branches that fall through'],
  [/\[\[(?:[^\]]*(?:&&|\|\||!|\())?\s+-[vR]\s/, '[[ -v x ]]'],
  [/\{[^{}\s]+\.\.[^{}\s]+\.\.-?\d+\}/, '{1..9..2}'],
  [/\bwait\s+-\w*[nfp]/, 'wait -n'],
  [/\bread\b[^|;&\n]*\s-(?:t\s*0?\.\d|\w*N|i\b)/, 'read -t 0.1, -N, -i'],
  [/\{\w+\}[<>]/, 'exec {fd}>'],
  [/\$\{?(?:EPOCH\w+|BASHPID|BASH_ARGV0|SRANDOM)\b/, 'EPOCHSECONDS, BASHPID'],
  [/\bshopt\s+-s\s+(?:globstar|lastpipe|inherit_errexit|checkjobs)/, 'later shopts'],
  [/printf\s+(?:-v\s+\S+\s+)?(['"]).*%\([^)]*\)T/, "printf '%(…)T'"],
  [/\bprintf\s+-v\s+\w+\[/, 'printf -v into an array'],
  [/\\[uU][0-9a-fA-F]{4}/, '\\u and \\U escapes'],
  [/\b(?:declare|typeset)\s+-\w*g/, 'declare -g'],
  [/\blocal\s+-(?=\s|;|$)/, 'local -'],
  [
    /\$\{\w+(?:\[[^\]]*\])?:[^}]*:\s+?-\d+\}|\$\{\w+:[^:}?+=-][^:}]*:-\d/,
    'a length counted from the end, ${x:0:-1}',
  ],
  [/(?:^|[\s;])(?:unset\s+)?['"]?\w+\[-\d+\](?:=|['"]?(?:\s|;|$))/, 'array indexes from the end'],
  [/\{0\d+\.\.\d+\}/, '{01..10}, which keeps its zeros'],
  [/\bBASH_COMPAT\b|\bBASH_XTRACEFD\b|\bREADLINE_MARK\b|\bPROMPT_DIRTRIM\b/, 'later variables'],
  [/(?:^|[\s;({])(?:\[|test)\s+-[vR]\s/, '[ -v x ]'],
  [/\bcommand_not_found_handle\b/, 'command_not_found_handle'],
  [/\bprintf\s[^|;&]*%\([^)]*\)T/, "printf '%(…)T'"],
  [/\bulimit\s+-\w*[bTPRk]\b/, 'later limits of ulimit'],
  [/\btrap\s+-P\b|\bunset\s+-n\b|\bexec\s+-a\s+\S+\s+-c/, 'later options of builtins'],
  [/\$\{\s|\$\{\|/, '${ command; }, of bash 5.3'],
];

/** A case inside of $( ) whose patterns are not opened by "(": a Mac's bash takes the first ")" there for the end of it. */
function bareCases(text: string): string[] {
  const found = /\$\((?:(?!\$\(|\besac\b)[\s\S])*?\bcase\b[^\n;]*\bin\b\s*[^\s(]/g;
  return [...text.matchAll(found)].flatMap(({ 0: whole, index }) => {
    let open = 1;
    for (const [sign] of whole.slice(2, whole.lastIndexOf('case')).matchAll(/[()]/g))
      open += sign === '(' ? 1 : -1;
    return open > 0
      ? [`${text.slice(0, index).split('\n').length}: case in $( ), write (a) instead of a)`]
      : [];
  });
}

/** Without comments, in which a word is only a word; the lines stay where they are. */
const codeOf = (text: string): string[] =>
  text.split('\n').map((line) => line.replace(/^\s*#.*|\s#\s.*$/, ''));

/** Arrays that a script may have left empty: under "set -u" bash before 4.4 takes their expansion for an unbound variable. */
function bareArrays(lines: string[]): string[] {
  const code = lines.join('\n');
  const empty = new Set(
    [...code.matchAll(/(?:^|[\s;])(?:local\s+(?:-a\s+)?)?(\w+)=\(\s*\)/g)].map((found) => found[1]!),
  );
  return lines.flatMap((line, at) =>
    // without what is guarded as it should be
    [
      ...line
        .replace(/\$\{(\w+)\[([@*])\]\+"?\$\{\1\[\2\]\}"?\}/g, '')
        .matchAll(/\$\{!?(\w+)\[[@*]\](?::[^}]*)?\}/g),
    ].flatMap(([whole, name = '']) => (empty.has(name) ? [`${at + 1}: ${whole}`] : [])),
  );
}

function laterThings(text: string): string[] {
  const lines = codeOf(text);
  const found = lines.flatMap((line, at) =>
    LATER.flatMap(([pattern, what]) => (pattern.test(line) ? [`${at + 1}: ${what}`] : [])),
  );
  found.push(...bareCases(lines.join('\n')));
  return [...found, ...bareArrays(lines).map((each) => `${each} may be empty; write \${a[@]+"\${a[@]}"}`)];
}

test('no script needs a bash that a Mac has not', () => {
  const found = names.flatMap((name) =>
    laterThings(readFileSync(join(folder, name), 'utf8')).map((each) => `scripts/${name}:${each}`),
  );
  assert.deepEqual(found, []);
});

test('what a Mac’s bash lacks is found', () => {
  for (const line of [
    'declare -A by_name',
    'local -A x',
    'local -n other=$1',
    'mapfile -t all',
    'echo "${name,,}"',
    'echo "${name^}"',
    'echo "${words[0]^^}"',
    'echo "${x@Q}"',
    'echo "${a[-1]}"',
    'make |& tee log',
    'make &>>log',
    'a) b ;;&',
    'a) b ;&',
    '[[ -v name ]]',
    'for i in {1..9..2}; do',
    'wait -n',
    'read -t 0.5 x',
    'exec {fd}>log',
    'echo $EPOCHSECONDS',
    'shopt -s globstar',
    "printf '%(%F)T' -1",
    "printf -v now '%(%s)T'",
    'printf -v all[1] x',
    'echo "${x:1:-1}"',
    'all[-1]=x',
    "unset 'all[-1]'",
    'declare -gA x',
    'declare -g x=1',
    'local -u x',
    'typeset -l x',
    'local -',
    'readarray -t all',
    'coproc cat',
    'echo {01..10}',
    'echo {a..z..2}',
    '[ -v name ]',
    'test -v name && a',
    '[[ $a && -R b ]]',
    'wait -f 5',
    'wait -p done',
    'read -N 1 x',
    'read -r -t .1 x',
    'read -i text -e x',
    'echo $BASHPID',
    'echo ${EPOCHREALTIME}',
    'shopt -s lastpipe',
    'shopt -s inherit_errexit',
    "echo $'\\u00e9'",
    "echo $'\\U0001f600'",
    'echo "${!x@}" "${x@A}"',
    'echo "${all[@]^}"',
    'exec {log}>>file',
    'echo ${ date; }',
    'x=$(case $1 in a) echo b ;; esac)',
    'x=$(\n  case $1 in\n    a) echo b ;;\n  esac\n)',
    'all=()\necho "${all[*]}"',
    'all=()\nf ${all[@]+"${all[@]}"} "${all[@]}"',
    'all=()\nfor i in "${!all[@]}"; do',
    'all=()\necho "${all[@]:1}"',
    'all=()\necho "${all[@]}"',
    'f() { local all=(); g "${all[@]}"; }',
  ])
    assert.equal(laterThings(line).length > 0, true, line);
  for (const line of [
    'local name value',
    'all=(one)\necho "${all[@]}"',
    'all=()\necho ${all[@]+"${all[@]}"}',
    'a && b',
    'make 2>&1 | tee log',
    'case x in a) ;; esac',
    'echo "${x:-y}" "${x%%,*}" "${x##*^}"',
    'read -rp "sure? " answer',
    '# declare -A is no code',
    'x=$(case $1 in (a) echo b ;; esac)',
    'x=$(date); case $x in a) ;; esac',
    'echo "${x:1:2}" "${x: -1}" "${x:-1}" "${x:+1}"',
    'printf -v name %q "$x"',
    'local -a all=(one)',
    'wait "$pid"',
    'read -r -t 5 x',
    'all[1]=x; echo "${all[0]}" "${!name}" "${!MARKETING_@}"',
    'echo {1..9} {a..z}',
    '[[ -n $x && $x == -v ]]',
    'ulimit -n 100',
  ])
    assert.deepEqual(laterThings(line), [], line);
});

test('every script says what it is for, and refuses words that it does not know', () => {
  for (const name of names) {
    const text = readFileSync(join(folder, name), 'utf8');
    const isCommand =
      (statSync(join(folder, name)).mode & 0o111) !== 0 &&
      !/^# Sourced/m.test(text.split('\n').slice(0, 4).join('\n'));
    if (!isCommand || name === 'test') continue;
    const run = (...words: string[]) => spawnSync(join(folder, name), words, { encoding: 'utf8', input: '' });
    const help = run('--help');
    assert.equal(help.status, 0, `${name}: ${help.stderr}`);
    assert.match(help.stdout, /\w+.*\n/, name);
    if (name === 'sql') continue; // what it does not know is psql's
    const wrong = run('--no-such-word');
    assert.equal(wrong.status, 2, `${name}: ${wrong.stderr}`);
    assert.match(wrong.stderr, /error: /, name);
  }
});
