// What another tool counted in these days: said beside the numbers, never in them.
import type { MetricsPage } from '../../../metrics/reports/page.ts';
import { format, language } from '../lib/state.ts';

const SAYS = {
  en: (tools: string, days: string, visits: string, views: string, visitors: string) =>
    `Brought in from ${tools}: ${days} of these days, ${visits} visits, ${views} page views, ${visitors} visitors counted day by day. In no number here.`,
  fr: (tools: string, days: string, visits: string, views: string, visitors: string) =>
    `Apporté de ${tools} : ${days} de ces jours, ${visits} visites, ${views} pages vues, ${visitors} visiteurs comptés jour par jour. Dans aucun chiffre ici.`,
};

export function Imported({ imported }: { imported: MetricsPage['imported'] }) {
  if (!imported) return null;
  const { count } = format.value;
  const tools = [...new Set(imported.days.map(({ source }) => source))].join(', ');
  const says = SAYS[language.value];
  return (
    <p class="soft imported">
      {says(
        tools,
        count(new Set(imported.days.map(({ day }) => day)).size),
        count(imported.visits),
        count(imported.pageviews),
        count(imported.visitorDays),
      )}
    </p>
  );
}
