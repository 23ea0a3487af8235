// marketing alarm --test, mail --test: do alarms and mails get out? And alarm --cut-off, for the watchdog.
import { text } from 'node:stream/consumers';
import { tellCutOff, tryAlarm, tryMail } from '../alerts/trial.ts';
import { print } from './print.ts';
import { settings } from './settings.ts';
import { UsageFault } from './verb.ts';

/** Exit status 1: a way out does not work, or there is none. */
export async function alarm({
  test,
  'cut-off': cutOff,
}: {
  test: boolean;
  'cut-off': boolean;
}): Promise<void> {
  if (test === cutOff)
    throw new UsageFault('alarm', 'say --test, which sends a trial to where alarms go, or --cut-off');
  const ways = test
    ? await tryAlarm(settings())
    : await tellCutOff(settings(), (await text(process.stdin)).trim());
  if (ways.length === 0)
    print('no way out is set up: scripts/secret ALERT_WEBHOOK_URL, or ALERT_EMAIL with SMTP_URL');
  for (const { to, message } of ways) print(`${to}: ${message}`);
  if (ways.length === 0 || ways.some(({ ok }) => !ok)) process.exitCode = 1;
}

export async function mail({ test }: { test: string }): Promise<void> {
  print(await tryMail(settings(), test));
}
