// marketing status, canary: verbs that ask the API of this machine.
import { canary } from './canary.ts';
import { print } from './print.ts';
import { settings } from './settings.ts';
import { showOffline } from './show-offline.ts';
import { askStatus, showStatus } from './show-status.ts';

/** Without an answer of the API it says what can be said without one. */
export async function status({ json }: { json: boolean }): Promise<void> {
  try {
    if (!showStatus(await askStatus(settings()), { json, print })) process.exitCode = 1;
  } catch (error) {
    process.exitCode = 1;
    await showOffline({ json, print, why: (error as Error).message.split('\n')[0]! });
  }
}

export const sendCanary = (): Promise<void> => canary(settings(), print);
