// The door of a route: its limit, who calls, what they may do, and whether they proved lately who they are. Before the body.
import { AppError } from '../lib/app-error.ts';
import { isUuid } from '../lib/uuid.ts';
import type { Call } from './call.ts';
import { type Admit, type Caller, type Capability, hasOwnLimit } from './caller.ts';
import { isInternal } from './client.ts';
import type { RateLimits } from './rate-limit.ts';
import { parametersOf, type Route } from './route.ts';

const PROOF_MS = 10 * 60_000;

const nothingHere = () => new AppError('not_found', 'There is nothing at this address.');

/** throws  forbidden, second_factor_required or proof_required, when this caller may not do what the route does */
function mustMay(caller: Caller, { who, proof, view }: Route): void {
  const { person, share } = caller;
  if (share && !(view && share.views.includes(view)))
    throw new AppError('forbidden', 'This link does not show that. Ask whoever sent it.');
  // each thing that is asked further in has a door of its own
  if (who === 'caller') return;
  if (who === 'person') {
    if (!person)
      throw new AppError('forbidden', 'This is for people about themselves: sign in by POST /v1/auth/login.');
  } else if (!caller.may(who === 'inside' ? 'machine' : (who as Capability))) {
    if (person?.needsSecondFactor)
      throw new AppError(
        'second_factor_required',
        'This role asks for a second factor. Set one up by POST /v1/users/me/totp, and sign in again.',
      );
    throw new AppError('forbidden', 'This caller may not do that. Ask an owner for the role it needs.');
  }
  if (proof === 'fresh' && person && Date.now() - person.provedMs > PROOF_MS)
    throw new AppError('proof_required', 'Prove again who you are: POST /v1/auth/prove, then try again.');
}

/**
 * Compiled at the start; gives the call its caller.
 * returns  nothing, where anyone may come in: that is known at once, and a promise for it would be waited for by every event
 */
export function doorOf(
  route: Route,
  { limits, admit }: { limits: RateLimits; admit: Admit },
): (call: Call) => Promise<void> | undefined {
  const { who, bucket = 'other' } = route;
  const ids = parametersOf(route).filter((name) => name.endsWith('Id') && name !== 'siteId');

  async function limited(call: Call): Promise<Caller> {
    if (bucket === 'none') return admit(call);
    if (!hasOwnLimit(call)) {
      limits.take(call.client, bucket);
      return admit(call);
    }
    // a key counts for itself; what only looks like one, for its address
    limits.check(call.client, bucket);
    const caller = await admit(call).catch((error) => {
      limits.take(call.client, bucket);
      throw error;
    });
    limits.take({ limitKey: caller.actor, networkKey: null }, 'key');
    return caller;
  }

  const mustNameIds = (call: Call) => {
    for (const name of ids) if (!isUuid(call.params[name]!)) throw nothingHere();
  };
  async function guarded(call: Call): Promise<void> {
    call.caller = await limited(call);
    mustNameIds(call);
    mustMay(call.caller, route);
  }
  return (call) => {
    // Through Caddy the client's own address counts, so the internet is not the internal network.
    const isOpen = who === 'anyone' || (who === 'inside' && isInternal(call.client.address));
    if (!isOpen) return guarded(call);
    if (bucket !== 'none') limits.take(call.client, bucket);
    mustNameIds(call);
    return undefined;
  };
}
