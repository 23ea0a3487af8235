// One try of one delivery: signed as Standard Webhooks says, sent, and what became of it. Of an answer only its status is kept.
import type { IncomingMessage } from 'node:http';
import { BlockedAddress, type Reach } from './reach.ts';

export const OUTCOMES = ['delivered', 'refused', 'timed_out', 'unreachable', 'blocked'] as const;
export interface Attempt {
  outcome: (typeof OUTCOMES)[number];
  /** null: none came. */
  status: number | null;
  ms: number;
  /** What the other side asked for, at most a day. */
  retryAfterSeconds: number | null;
}

export interface Message {
  /** The same on every try. */
  id: string;
  url: string;
  body: string;
  /** The newest first; none: an endpoint that was never given one. */
  secrets: readonly string[];
}

const ANSWER_MS_MAX = 10_000;
const ANSWER_BYTES_MAX = 64 * 1024;
const RETRY_AFTER_SECONDS_MAX = 86_400;

export const messageId = (deliveryId: string): string => `msg_${deliveryId.replaceAll('-', '')}`;

/** Whole seconds of a Retry-After, whether it is seconds or a date; null: none, or one in the past. */
export function retryAfterOf(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  const seconds = /^\d{1,9}$/.test(header.trim())
    ? Number(header)
    : Math.ceil((Date.parse(header) - now) / 1000);
  return seconds > 0 ? Math.min(seconds, RETRY_AFTER_SECONDS_MAX) : null;
}

async function signaturesOf({ id, body, secrets }: Message, at: Date): Promise<string> {
  const { Webhook } = await import('standardwebhooks');
  return secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' ');
}

/** Never throws: what the outside world does is a value. msMax: for tests */
export async function send(reach: Reach, message: Message, msMax = ANSWER_MS_MAX): Promise<Attempt> {
  const began = performance.now();
  const ended = (outcome: Attempt['outcome'], answer?: IncomingMessage): Attempt => ({
    outcome,
    status: answer?.statusCode ?? null,
    ms: Math.round(performance.now() - began),
    retryAfterSeconds: retryAfterOf(answer?.headers['retry-after'], Date.now()),
  });
  const signal = AbortSignal.timeout(msMax);
  try {
    const answer = await ask(reach, message, signal);
    const { statusCode = 0 } = answer;
    return ended(statusCode >= 200 && statusCode < 300 ? 'delivered' : 'refused', answer);
  } catch (error) {
    if (signal.aborted) return ended('timed_out');
    return ended(isBlocked(error) ? 'blocked' : 'unreachable');
  }
}

// The agent's own refusals have no code: their text is all there is, and it is ours to test.
const isBlocked = (error: unknown): boolean =>
  error instanceof BlockedAddress || /is not allowed\. Because/.test((error as Error)?.message ?? '');

async function ask(reach: Reach, message: Message, signal: AbortSignal): Promise<IncomingMessage> {
  const at = new Date();
  const { id, url, body } = message;
  const signature = await signaturesOf(message, at);
  const request = await reach.request(new URL(url), {
    method: 'POST',
    signal,
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'marketing-webhooks/1',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      ...(signature === '' ? {} : { 'webhook-signature': signature }),
    },
  });
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (answer) => {
      let bytes = 0;
      answer.on('error', () => {});
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) request.destroy();
      });
      resolve(answer);
    });
    request.end(body);
  });
}
