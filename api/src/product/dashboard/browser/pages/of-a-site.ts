// Pages of a site's people and its running, in one file: they share words and parts, and who opens one opens others.
export { Account } from './account.tsx';
export { Lead } from './lead.tsx';
export { Leads } from './leads.tsx';
export { Machine } from './machine.tsx';
export { Quality } from './quality.tsx';
export { Settings } from './settings.tsx';
