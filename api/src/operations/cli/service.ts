// marketing status, canary: verbs that ask the API of this machine.
import { canary } from './canary.ts';
import { print } from './print.ts';
import { settings } from './settings.ts';
import { showStatus } from './show-status.ts';

export async function status({ json }: { json: boolean }): Promise<void> {
  const well = await showStatus(settings(), { json, print });
  if (!well) process.exitCode = 1;
}

export const sendCanary = (): Promise<void> => canary(settings(), print);
