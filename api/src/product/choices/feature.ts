// What visitors answered to the consent control of a page, so that it can be shown.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { endChoices } from './queries.ts';
import { type ChoiceNeeds, choiceRoutes } from './routes.ts';
import { choiceTables } from './tables.ts';

export const choices: Feature<ChoiceNeeds, { db: Pool }> = {
  name: 'choices',
  tables: choiceTables,
  routes: choiceRoutes,
  endings: ({ db }) => ({ 'ended choices': endChoices(db) }),
};
