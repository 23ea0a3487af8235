// marketing check-setting: what scripts/set asks before it writes .env. The value comes by standard input.
import { text } from 'node:stream/consumers';
import { checkSetting } from '../settings/check.ts';
import { print } from './print.ts';

/** Prints the services that a change makes anew, a word each. */
export async function check(name: string): Promise<void> {
  print(checkSetting(name, await text(process.stdin), process.env).join(' '));
}
