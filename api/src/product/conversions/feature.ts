// What became of people, and what advertising cost.
import type { Feature } from '../../ground/feature.ts';
import { conversionTables } from './tables.ts';

export const conversions: Feature = { name: 'conversions', tables: conversionTables };
