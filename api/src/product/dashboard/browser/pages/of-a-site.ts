// Pages of a site's people and its running, in one file: they share words and parts, and who opens one opens others.
export { Account } from './account.tsx';
export { Audit } from './audit.tsx';
export { Keys } from './keys.tsx';
export { Lead } from './lead.tsx';
export { Leads } from './leads.tsx';
export { Machine } from './machine.tsx';
export { People } from './people.tsx';
export { Privacy } from './privacy.tsx';
export { Quality } from './quality.tsx';
export { Sessions } from './sessions.tsx';
export { Settings } from './settings.tsx';
