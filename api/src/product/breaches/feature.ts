// The register of breaches of personal data.
import type { Feature } from '../../ground/feature.ts';
import { breachTables } from './tables.ts';

export const breaches: Feature = { name: 'breaches', tables: breachTables };
