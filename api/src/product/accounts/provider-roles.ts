// What somebody who signs in through the provider is here, by the groups that it says they are in. Pure.
import { type Role, SITE_ROLES } from '../../ground/http/roles.ts';
import type { Site } from '../../ground/site.ts';
import type { Grant } from './queries.ts';

export interface GroupRule {
  /** null: everybody whom the provider signs in. */
  group: string | null;
  role: Role;
  /** Keys or ids; null: every site there is at the sign-in. */
  sites: string[] | null;
}

/** text  of OIDC_GROUPS, as config.ts has checked it */
export const readGroupRules = (text: string): GroupRule[] =>
  text.split(',').map((pair) => {
    const [, name, role, sites] = /^\s*([^=]+)=(\w+)(?:@(\S+))?\s*$/.exec(pair)!;
    return {
      group: name === '*' ? null : decodeURIComponent(name!),
      role: role as Role,
      sites: sites?.split('+') ?? null,
    };
  });

export interface ProvidedRoles {
  isOwner: boolean;
  grants: Grant[];
}

/** An owner where any rule that fits says so; else at each site what the first rule says that fits it. A site that is none gives nothing. */
export function rolesOf(
  groups: readonly string[],
  rules: readonly GroupRule[],
  sites: readonly Pick<Site, 'siteId' | 'key'>[],
): ProvidedRoles {
  const fitting = rules.filter(({ group }) => group === null || groups.includes(group));
  if (fitting.some(({ role }) => role === 'owner')) return { isOwner: true, grants: [] };
  const grants = sites.flatMap(({ siteId, key }) => {
    const first = fitting.find(({ sites: named }) => !named || named.includes(key) || named.includes(siteId));
    const role = first && SITE_ROLES.find((one) => one === first.role);
    return role ? [{ siteId, role }] : [];
  });
  return { isOwner: false, grants };
}

export const isNothing = ({ isOwner, grants }: ProvidedRoles): boolean => !isOwner && grants.length === 0;

/** As one text, to compare. */
export const saying = ({ isOwner, grants }: ProvidedRoles): string =>
  [isOwner, ...grants.map(({ siteId, role }) => `${siteId} ${role}`).sort()].join();
