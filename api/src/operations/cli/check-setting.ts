// marketing check-setting, check-settings: what scripts/set asks before it writes .env. The value comes by standard input.
import { text } from 'node:stream/consumers';
import { checkSetting } from '../settings/check.ts';
import { print } from './print.ts';
import { backups } from './settings.ts';

/** Prints the services that a change makes anew, a word each. */
export async function check(name: string): Promise<void> {
  print(checkSetting(name, await text(process.stdin), process.env).join(' '));
}

/** Throws what the start would say of the settings that this very process was started with. */
export async function checkAll(): Promise<void> {
  backups();
}
