// Whether a site scores its visitors, and how much an event of a type says that its visitor means it: its own weights, or ours.
import type { Site } from '../../ground/site.ts';
import type { Weights } from './queries.ts';
import { WEIGHTS } from './score.ts';

/** The site's own setting: nobody is scored before their control and notice say so. */
export const areScored = ({ settings }: Pick<Site, 'settings'>): boolean => settings.visitorScores === true;

export const weightsOf = ({ settings }: Pick<Site, 'settings'>): Weights =>
  (settings.intentWeights as Weights | undefined) ?? WEIGHTS;
