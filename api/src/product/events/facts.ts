// What enrich() wants to know of a request; captures ask the same.
import type { Call } from '../../ground/http/call.ts';
import type { Site } from '../../ground/site.ts';
import { hostsOf } from '../sites/recognise.ts';
import { pathRulesOf } from '../sites/settings.ts';
import type { RequestFacts } from './enrich.ts';

/** Two letters for an address, or null. */
export type CountryOf = (address: string) => string | null;

export function requestFacts(call: Call, site: Site, countryOf: CountryOf): RequestFacts {
  const { client } = call;
  return {
    siteId: site.siteId,
    ownHosts: hostsOf(site),
    client,
    country: countryOf(client.address),
    privacySignal: call.privacySignal,
    prefetch: call.isPrefetch,
    receivedMs: call.receivedMs,
    fromServer: call.headers.origin === undefined,
    isHead: call.isHead,
    pathRules: pathRulesOf(site),
  };
}
