// The operator's command line ("marketing VERB" in the container, npm run … beside the code): finds the verb the words mean,
// and only then loads what it needs. The verbs are in operations/cli/verbs.ts.
import { releaseOf } from './ground/lib/version.ts';
import { help } from './operations/cli/help.ts';
import { parse } from './operations/cli/parse.ts';
import { print } from './operations/cli/print.ts';
import { UsageFault } from './operations/cli/verb.ts';
import { verbs } from './operations/cli/verbs.ts';

const USAGE_FAULT = 2;
const FAILED = 3;

async function main(args: string[]): Promise<void> {
  try {
    const asked = parse(args, verbs, process.env);
    if ('help' in asked) print(help(asked.help, releaseOf(process.env)));
    else if (asked.verb.people === 'nothing') await asked.verb.run(asked.options, asked.word);
    else await (await import('./operations/cli/noted.ts')).runNoted(asked.verb, asked.options, asked.word);
  } catch (error) {
    const wrongWords = error instanceof UsageFault;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(wrongWords ? `${message}\n` : `${args[0]}: ${message}\n`);
    process.exitCode = wrongWords ? USAGE_FAULT : FAILED;
  }
  // pools and sockets of a verb that failed half-way must not keep the process
  setTimeout(() => process.exit(), 1000).unref();
}

if (import.meta.main) await main(process.argv.slice(2));
