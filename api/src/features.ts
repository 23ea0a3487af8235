// Everything the product is made of, on one page. A new feature is one line here.
import type { Feature } from './ground/feature.ts';
import { jobs } from './ground/jobs/feature.ts';
import type { House } from './house.ts';
import { audit } from './operations/audit/feature.ts';
import { health } from './operations/health/feature.ts';
import { status } from './operations/status/feature.ts';
import { bots } from './product/bots/feature.ts';
import { breaches } from './product/breaches/feature.ts';
import { conversions } from './product/conversions/feature.ts';
import { events } from './product/events/feature.ts';
import { identities } from './product/identities/feature.ts';
import { metrics } from './product/metrics/feature.ts';
import { sites } from './product/sites/feature.ts';
import { spend } from './product/spend/feature.ts';
import type { Workshop } from './schedule.ts';

export type AnyFeature = Feature<House, Workshop>;

export const FEATURES: AnyFeature[] = [
  // what the product does
  sites,
  events,
  bots,
  identities,
  conversions,
  spend,
  metrics,
  breaches,
  // what runs it
  audit,
  jobs,
  status,
  health,
];
