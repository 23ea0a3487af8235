// Which role may do what, and what a key of which scope: the one table. A person has a role for each of their sites; an
// owner has all of them.
import type { Capability } from './caller.ts';

const BY_CAPABILITY = {
  numbers: ['owner', 'admin', 'analyst', 'viewer'],
  spend: ['owner', 'admin', 'analyst'],
  notes: ['owner', 'admin', 'analyst', 'viewer'],
  segments: ['owner', 'admin', 'analyst', 'viewer'],
  leadFacts: ['owner', 'admin', 'analyst', 'privacy'],
  leads: ['owner', 'admin', 'privacy'],
  evidence: ['owner', 'admin', 'privacy'],
  settings: ['owner', 'admin'],
  hooks: ['owner', 'admin'],
  people: ['owner', 'admin'],
  access: ['owner', 'admin', 'privacy'],
  plans: ['owner'],
  machine: ['owner', 'admin'],
} as const satisfies Record<Capability, readonly string[]>;

/** Roles that are given for a site. An owner is one everywhere. */
export const SITE_ROLES = ['admin', 'analyst', 'viewer', 'privacy'] as const;
export type SiteRole = (typeof SITE_ROLES)[number];
export type Role = 'owner' | SiteRole;
/** Roles that need a second factor. */
export const STRONG_ROLES: readonly Role[] = ['owner', 'admin'];

export const mayAs = (role: Role, what: Capability): boolean =>
  (BY_CAPABILITY[what] as readonly Role[]).includes(role);

/** What a key of a scope may do; none makes keys or invites people, so that a revoked key leaves nothing behind. */
export const SCOPES = {
  ingest: ['spend', 'notes'],
  read: ['numbers'],
  leads: ['leads', 'leadFacts'],
  hooks: ['hooks'],
  admin: [
    'numbers',
    'spend',
    'notes',
    'segments',
    'leadFacts',
    'leads',
    'evidence',
    'settings',
    'hooks',
    'access',
    'machine',
  ],
} as const satisfies Record<string, readonly Capability[]>;
export type Scope = keyof typeof SCOPES;

export const mayWith = (scopes: readonly Scope[], what: Capability): boolean =>
  scopes.some((scope) => (SCOPES[scope] as readonly Capability[]).includes(what));
