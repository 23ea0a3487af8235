// What a person may ask for: everything held about them, and its erasure.
import type { Feature } from '../../ground/feature.ts';
import { type ErasureNeeds, erasureRoutes } from './routes.ts';
import { erasureTables } from './tables.ts';

interface House extends Pick<ErasureNeeds, 'db' | 'forget'> {
  leads: Pick<ErasureNeeds, 'hashAddress' | 'journal'>;
}

export const erasure: Feature<House> = {
  name: 'erasure',
  tables: erasureTables,
  routes: ({ db, forget, leads: { hashAddress, journal } }) =>
    erasureRoutes({ db, forget, hashAddress, journal }),
};
