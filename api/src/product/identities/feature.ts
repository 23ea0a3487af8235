// Which visitor is which lead, and on what evidence.
import type { Feature } from '../../ground/feature.ts';
import { identityTables } from './tables.ts';

export const identities: Feature = { name: 'identities', tables: identityTables };
