// Everything the product is made of, on one page, in the order its tables are erased backwards and purged. A new feature
// is one line here.
import type { Feature } from './ground/feature.ts';
import { keptOf, lengthOf, type Settings, type Tables } from './ground/tables.ts';
import type { House } from './house.ts';
import { audit } from './operations/audit/feature.ts';
import { backups } from './operations/backups/feature.ts';
import { health } from './operations/health/feature.ts';
import { jobs } from './operations/jobs/feature.ts';
import { releases } from './operations/releases/feature.ts';
import { retention } from './operations/retention/feature.ts';
import { status } from './operations/status/feature.ts';
import { abTests } from './product/ab-tests/feature.ts';
import { accounts } from './product/accounts/feature.ts';
import { alertRules } from './product/alert-rules/feature.ts';
import { analytics } from './product/analytics/feature.ts';
import { archive } from './product/archive/feature.ts';
import { bots } from './product/bots/feature.ts';
import { breaches } from './product/breaches/feature.ts';
import { captures } from './product/captures/feature.ts';
import { choices } from './product/choices/feature.ts';
import { consent } from './product/consent/feature.ts';
import { conversions } from './product/conversions/feature.ts';
import { counting } from './product/counting/feature.ts';
import { customFields } from './product/custom-fields/feature.ts';
import { dashboard } from './product/dashboard/feature.ts';
import { display } from './product/display/feature.ts';
import { erasure } from './product/erasure/feature.ts';
import { events } from './product/events/feature.ts';
import { identities } from './product/identities/feature.ts';
import { imports } from './product/imports/feature.ts';
import { integrations } from './product/integrations/feature.ts';
import { keys } from './product/keys/feature.ts';
import { leads } from './product/leads/feature.ts';
import { mailReports } from './product/mail-reports/feature.ts';
import { mails } from './product/mails/feature.ts';
import { metrics } from './product/metrics/feature.ts';
import { notes } from './product/notes/feature.ts';
import { notifications } from './product/notifications/feature.ts';
import { outbox } from './product/outbox/feature.ts';
import { plans } from './product/plans/feature.ts';
import { profiles } from './product/profiles/feature.ts';
import { proof } from './product/proof/feature.ts';
import { requests } from './product/requests/feature.ts';
import { reviews } from './product/reviews/feature.ts';
import { segments } from './product/segments/feature.ts';
import { shares } from './product/shares/feature.ts';
import { sites } from './product/sites/feature.ts';
import { spend } from './product/spend/feature.ts';
import { stream } from './product/stream/feature.ts';
import { webhooks } from './product/webhooks/feature.ts';
import { yourData } from './product/your-data/feature.ts';
import type { Workshop } from './schedule.ts';

export type AnyFeature = Feature<House, Workshop>;

export const FEATURES: readonly AnyFeature[] = [
  // what the product does
  sites,
  events,
  counting,
  abTests,
  leads,
  outbox,
  identities,
  profiles,
  customFields,
  captures,
  consent,
  choices,
  display,
  reviews,
  mails,
  conversions,
  spend,
  metrics,
  archive,
  imports,
  notes,
  segments,
  bots,
  mailReports,
  alertRules,
  erasure,
  requests,
  yourData,
  breaches,
  accounts,
  keys,
  shares,
  notifications,
  webhooks,
  stream,
  proof,
  analytics,
  plans,
  integrations,
  dashboard,
  // what runs it
  audit,
  backups,
  releases,
  status,
  health,
  // what it stands on
  jobs,
  retention,
];

/** throws  when two features claim one table */
export function tablesOf(features: readonly AnyFeature[]): Tables {
  const tables: Tables = {};
  for (const feature of features)
    for (const [name, rule] of Object.entries(feature.tables ?? {})) {
      if (tables[name])
        throw new Error(`${feature.name} is the second feature that claims the table ${name}.`);
      tables[name] = rule;
    }
  return tables;
}

/** SQL functions in the order they are made. */
export const functionsOf = (features: readonly AnyFeature[]): URL[] =>
  features.flatMap(({ functions }) => functions ?? []);

/** How long what is kept, by the names under which it is told. */
export function periodsOf(features: readonly AnyFeature[], settings: Settings): Record<string, number> {
  const told = features.flatMap(({ tables = {}, keeps = {} }) => [
    ...Object.values(tables)
      .flatMap(keptOf)
      .flatMap((kept) => ('for' in kept && kept.told ? [[kept.told, kept.for] as const] : [])),
    ...Object.entries(keeps).map(([name, kept]) => [name, kept.for] as const),
  ]);
  return Object.fromEntries(told.map(([name, period]) => [name, lengthOf(period, settings).count]));
}

export const FUNCTIONS = functionsOf(FEATURES);
