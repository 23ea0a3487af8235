// What a person may ask for: everything held about them, and its erasure.
import type { Feature } from '../../ground/feature.ts';
import { erasureTables } from './tables.ts';

export const erasure: Feature = { name: 'erasure', tables: erasureTables };
