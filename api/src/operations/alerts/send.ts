// Carries a notice out of the machine: to a webhook, to a mailbox, or both. What the outside does is a value.

import { cutText } from '../../ground/lib/text.ts';
import { type Notice, textOf } from './tell.ts';

export interface Recipients {
  /** Gets a POST with JSON; a "text" field makes it readable for Slack, Mattermost and the like. */
  webhookUrl: string | null;
  /** Sends one mail; null: no mail is set up. */
  mail: ((subject: string, text: string) => Promise<void>) | null;
  /** Which machine is speaking, e.g. the public host name. */
  where: string;
}

export interface Sent {
  to: 'webhook' | 'mail';
  ok: boolean;
  message?: string;
}

const PATIENCE_MS = 10_000;

/** returns  one result for each way out; an empty list when none is set up */
export async function sendNotice(notice: Notice, recipients: Recipients): Promise<Sent[]> {
  const text = textOf(notice, recipients.where);
  const ways: Promise<Sent>[] = [];
  if (recipients.webhookUrl)
    ways.push(
      attempt('webhook', () => post(recipients.webhookUrl!, { text, ...notice, where: recipients.where })),
    );
  if (recipients.mail)
    ways.push(
      attempt('mail', () => recipients.mail!(cutText(text, 120), `${text}\n\nSince ${notice.since}.\n`)),
    );
  return Promise.all(ways);
}

async function attempt(to: Sent['to'], way: () => Promise<void>): Promise<Sent> {
  // twice: a lost connection is common, and an alarm is worth a second try
  for (let left = 1; ; left--) {
    try {
      await way();
      return { to, ok: true };
    } catch (error) {
      if (left === 0) return { to, ok: false, message: (error as Error).message.slice(0, 200) };
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

async function post(url: string, body: unknown): Promise<void> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    redirect: 'error',
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`the webhook answered ${answer.status}`);
}
