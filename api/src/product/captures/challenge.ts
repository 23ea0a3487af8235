// Cloudflare Turnstile: asks whether the answer a browser brought to its challenge is good.
import type { Log } from '../../ground/lib/log.ts';

export type ChallengeVerdict = 'off' | 'passed' | 'failed' | 'missing' | 'unreachable';
export type JudgeChallenge = (token: string | undefined, address: string) => Promise<ChallengeVerdict>;

const WAIT_MS_MAX = 3000; // a person is waiting

/** secret undefined: not configured, every submission is judged without it */
export function challengeJudge(secret: string | undefined, verifyUrl: string, log: Log): JudgeChallenge {
  return async (token, address) => {
    if (!secret) return 'off';
    if (!token) return 'missing';
    try {
      const response = await fetch(verifyUrl, {
        method: 'POST',
        body: new URLSearchParams({ secret, response: token, remoteip: address }),
        signal: AbortSignal.timeout(WAIT_MS_MAX),
      });
      const verdict = (await response.json()) as { success?: boolean };
      if (typeof verdict.success !== 'boolean')
        throw new Error(`answered ${response.status} without a verdict`);
      return verdict.success ? 'passed' : 'failed';
    } catch (err) {
      log.warn({ err }, 'the challenge could not be verified');
      return 'unreachable';
    }
  };
}
