// By whom something was asked, as the consent ledger keeps it: hashes, and whether the browser said not to track.
import type { Call } from '../../ground/http/call.ts';

export function askedBy(call: Call): { ip_hash: string; ua_hash: string; privacy_signal: boolean } {
  const { ipHash, uaHash } = call.client;
  return { ip_hash: ipHash, ua_hash: uaHash, privacy_signal: call.privacySignal };
}
