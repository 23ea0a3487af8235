// How much an event of a type says that its visitor means it: the site's own weights, or ours.
import type { Site } from '../../ground/site.ts';
import type { Weights } from './queries.ts';
import { WEIGHTS } from './score.ts';

export const weightsOf = ({ settings }: Pick<Site, 'settings'>): Weights =>
  (settings.intentWeights as Weights | undefined) ?? WEIGHTS;
