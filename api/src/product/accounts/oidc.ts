// Another provider that says who somebody is (OpenID Connect): asked with PKCE, state and nonce. The library is loaded, and the
// provider asked what it can, when somebody first signs in by it.
import type { Configuration } from 'openid-client';
import type { Config } from '../../config.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Log } from '../../ground/lib/log.ts';
import { type GroupRule, readGroupRules } from './provider-roles.ts';

const TIMEOUT_SECONDS = 10;
/** How old a sign-in at the provider may be that counts as a fresh proof here. */
const FRESH_SECONDS = 600;

/** Said where a provider takes it: many leave these out otherwise. */
const wantedWith = (groups: string | null) =>
  JSON.stringify({
    id_token: {
      auth_time: null,
      amr: null,
      email: null,
      email_verified: null,
      name: null,
      ...(groups ? { [groups]: null } : {}),
    },
  });

/** What must come back as it went. */
export interface Asked {
  state: string;
  nonce: string;
  codeVerifier: string;
  fresh: boolean;
}
/** Whom the provider says it is. */
export interface Claims {
  issuer: string;
  subject: string;
  /** Only one that it says it verified. */
  email: string | null;
  name: string | null;
  /** That it says they are in; none, where it says nothing of them or nobody asks. */
  groups: string[];
  /** When they proved it there; null: it does not say. */
  provedAt: Date | null;
  /** By more than one factor, as it says. */
  isStrong: boolean;
}

export interface Oidc {
  /** The provider's, for people to know it by. */
  host: string;
  issuer: string;
  /** What people are by their groups there; null: roles are given here. */
  rules: readonly GroupRule[] | null;
  /** Whose people need no invitation. */
  domains: readonly string[];
  /** fresh  they prove it there now, whatever they did before. returns  where the browser goes, and what to keep for its return */
  begin(fresh: boolean): Promise<{ url: string; asked: Asked }>;
  /** query  as the provider sent the browser back. throws  unauthorized, unavailable */
  finish(query: string, asked: Asked): Promise<Claims>;
}

type Settings = Pick<
  Config,
  | 'OIDC_ISSUER'
  | 'OIDC_CLIENT_ID'
  | 'OIDC_CLIENT_SECRET'
  | 'OIDC_GROUPS'
  | 'OIDC_GROUPS_CLAIM'
  | 'OIDC_DOMAINS'
  | 'PUBLIC_URL'
>;

/** returns  null where no provider is set up */
export function openOidc(settings: Settings, log: Log): Oidc | null {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, PUBLIC_URL: publicUrl } = settings;
  if (!issuer || !clientId || !publicUrl) return null;
  const redirectUri = `${publicUrl.replace(/\/$/, '')}/v1/auth/oidc/callback`;
  const rules = settings.OIDC_GROUPS === undefined ? null : readGroupRules(settings.OIDC_GROUPS);
  const groups = rules && settings.OIDC_GROUPS_CLAIM;
  const wanted = wantedWith(groups);
  let known: Promise<Configuration> | null = null;

  async function discover(): Promise<Configuration> {
    const client = await import('openid-client');
    const secret = settings.OIDC_CLIENT_SECRET;
    const isPlain = new URL(issuer!).protocol === 'http:'; // config.ts takes it on loopback only
    const found = await client.discovery(
      new URL(issuer!),
      clientId!,
      undefined,
      secret ? client.ClientSecretPost(secret) : client.None(),
      {
        timeout: TIMEOUT_SECONDS,
        // the signature counts, and not only the connection it came over
        execute: [client.enableNonRepudiationChecks, ...(isPlain ? [client.allowInsecureRequests] : [])],
      },
    );
    return found;
  }
  function configuration(): Promise<Configuration> {
    known ??= discover().catch((error) => {
      known = null; // asked again by the next
      throw away(log, error);
    });
    return known;
  }

  return {
    host: new URL(issuer).host,
    issuer,
    rules,
    domains: settings.OIDC_DOMAINS,
    async begin(fresh) {
      const found = await configuration();
      const client = await import('openid-client');
      const asked = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        codeVerifier: client.randomPKCECodeVerifier(),
        fresh,
      };
      const url = client.buildAuthorizationUrl(found, {
        redirect_uri: redirectUri,
        scope: scopeOf(found, groups),
        state: asked.state,
        nonce: asked.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(asked.codeVerifier),
        code_challenge_method: 'S256',
        ...(found.serverMetadata().claims_parameter_supported ? { claims: wanted } : {}),
        ...(fresh ? { prompt: 'login', max_age: String(FRESH_SECONDS) } : {}),
      });
      return { url: url.href, asked };
    },
    async finish(query, asked) {
      const found = await configuration();
      const client = await import('openid-client');
      try {
        const tokens = await client.authorizationCodeGrant(found, new URL(`${redirectUri}?${query}`), {
          expectedState: asked.state,
          expectedNonce: asked.nonce,
          pkceCodeVerifier: asked.codeVerifier,
          idTokenExpected: true,
          ...(asked.fresh ? { maxAge: FRESH_SECONDS } : {}),
        });
        const said = tokens.claims()!;
        const more =
          (said.email === undefined || (groups && said[groups] === undefined)) &&
          found.serverMetadata().userinfo_endpoint
            ? await client.fetchUserInfo(found, tokens.access_token, said.sub)
            : {};
        return claimsOf(issuer, { ...more, ...said }, groups);
      } catch (error) {
        throw refusal(log, error);
      }
    },
  };
}

/** Some providers tell groups for a scope of that name, and refuse one that they do not know. */
const scopeOf = (found: Configuration, groups: string | null): string =>
  `openid email profile${groups && found.serverMetadata().scopes_supported?.includes('groups') ? ' groups' : ''}`;

function claimsOf(
  issuer: string,
  said: Record<string, unknown> & { sub: string },
  groupsClaim: string | null,
): Claims {
  const { sub: subject, email, name, auth_time: at, amr } = said;
  const provedAt = typeof at === 'number' && at * 1000 <= Date.now() + 60_000 ? new Date(at * 1000) : null;
  return {
    issuer,
    subject,
    email: said.email_verified === true && typeof email === 'string' ? email : null,
    name: typeof name === 'string' && name.trim() ? name.trim().slice(0, 200) : null,
    groups: groupsClaim ? [said[groupsClaim]].flat().filter((one) => typeof one === 'string') : [],
    provedAt,
    isStrong: Array.isArray(amr) && amr.includes('mfa'), // RFC 8176
  };
}

/** Codes only: what a provider says in words may hold whom it is about. */
const codeOf = (error: unknown): string => {
  const { error: said, code, name } = error as { error?: unknown; code?: unknown; name?: unknown };
  return [said, code, name].find((one) => typeof one === 'string') as string;
};

function away(log: Log, error: unknown): AppError {
  log.warn({ why: codeOf(error) }, 'the provider of sign-ins (OIDC_ISSUER) does not answer as it should');
  return new AppError('unavailable', 'The provider that signs people in does not answer. Try again later.', {
    retryAfterSeconds: 30,
  });
}

function refusal(log: Log, error: unknown): AppError {
  // fetch says TypeError when nobody answers; a code of the library's means that an answer was not right
  const isAway =
    (error instanceof TypeError && !('code' in error)) || (error as Error)?.name === 'TimeoutError';
  if (isAway) return away(log, error);
  log.info({ why: codeOf(error) }, 'a sign-in through the provider was refused');
  return new AppError('unauthorized', 'The provider did not say who you are. Begin again.');
}
