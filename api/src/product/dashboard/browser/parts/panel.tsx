// The largest rows of one kind, as a table with bars; several kinds share a panel as tabs, and the address holds which.
import { useId } from 'preact/hooks';
import type { MetricsPage } from '../../../metrics/reports/page.ts';
import { format, look, place, site, words } from '../lib/state.ts';

export type PanelName = keyof MetricsPage['breakdowns'];
type Row = MetricsPage['breakdowns'][PanelName]['rows'][number];
type Column = 'visitors' | 'sessions' | 'pageViews' | 'events' | 'conversions' | 'leads' | 'conversionRate';

const COLUMNS: Record<PanelName, readonly Column[]> = {
  sources: ['visitors', 'sessions', 'leads'],
  campaigns: ['visitors', 'sessions', 'leads'],
  referrers: ['visitors', 'sessions', 'conversionRate'],
  pages: ['visitors', 'pageViews'],
  entrances: ['visitors', 'sessions', 'conversionRate'],
  exits: ['visitors', 'sessions'],
  countries: ['visitors', 'sessions', 'conversionRate'],
  devices: ['visitors', 'sessions', 'conversionRate'],
  browsers: ['visitors', 'sessions', 'conversionRate'],
  os: ['visitors', 'sessions', 'conversionRate'],
  events: ['visitors', 'events'],
  forms: ['sessions', 'conversions', 'conversionRate'],
};

function said(column: Column, value: number | null): string {
  if (value === null) return '–';
  return column === 'conversionRate' ? format.value.share(value) : format.value.count(value);
}

function nameOf(panel: PanelName, { name, detail }: Row): string {
  const w = words.value!;
  if (panel === 'countries') return name === 'unknown' ? w.unknown : format.value.country(name);
  if (name === '(other)' || name === 'other') return w.other;
  if (panel === 'sources') return (w.sources as Record<string, string>)[name] ?? name;
  if (panel === 'devices') return w.devices[name] ?? name;
  return detail ? `${name} · ${detail}` : name;
}

const csvOf = (by: PanelName, window: { from: string; to: string }): string =>
  `/v1/metrics/breakdown?${new URLSearchParams({ propertyId: site.value!.key, ...window, by, limit: '1000', format: 'csv' })}`;

interface PanelProps {
  tabs: readonly PanelName[];
  data: MetricsPage['breakdowns'];
  /** Days that the CSV is of; null: there is none. */
  window: { from: string; to: string } | null;
}

export function Panel({ tabs, data, window }: PanelProps) {
  const w = words.value!;
  const id = useId();
  const chosen = tabs.find((tab) => place.value.look.by.includes(tab)) ?? tabs[0]!;
  const choose = (tab: PanelName) => {
    const others = place.value.look.by.filter((name) => !(tabs as readonly string[]).includes(name));
    look({ by: tab === tabs[0] ? others : [...others, tab].sort() });
  };
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(chosen) + step + tabs.length) % tabs.length]!;
    choose(next);
    document.getElementById(`${id}-${next}`)?.focus();
  };
  const { rows, totals } = data[chosen];
  const columns = COLUMNS[chosen];
  const most = Math.max(1, ...rows.map((row) => row[columns[0]!] ?? 0));
  return (
    <section class="panel" aria-labelledby={`${id}-${chosen}`}>
      <div class="tabs" role="tablist" aria-label={tabs.map((tab) => w.panels[tab]).join(', ')}>
        {tabs.map((tab) => (
          <button
            key={tab}
            type="button"
            role="tab"
            id={`${id}-${tab}`}
            aria-selected={tab === chosen}
            aria-controls={`${id}-rows`}
            tabIndex={tab === chosen ? 0 : -1}
            onClick={() => choose(tab)}
            onKeyDown={move}
          >
            {w.panels[tab]}
          </button>
        ))}
      </div>
      <div id={`${id}-rows`} role="tabpanel" aria-labelledby={`${id}-${chosen}`}>
        {rows.length === 0 ? (
          <p class="soft empty">{w.nothingHere}</p>
        ) : (
          <table>
            <caption class="unseen">{w.panels[chosen]}</caption>
            <thead>
              <tr>
                <th scope="col">
                  <span class="unseen">{w.panels[chosen]}</span>
                </th>
                {columns.map((column) => (
                  <th key={column} scope="col" class="n">
                    {w.columns[column]}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={`${row.name}\n${row.detail}`}>
                  <th scope="row">
                    <span class="bar" style={{ width: `${((row[columns[0]!] ?? 0) / most) * 100}%` }} />
                    <span class="label" title={nameOf(chosen, row)}>
                      {nameOf(chosen, row)}
                    </span>
                  </th>
                  {columns.map((column) => (
                    <td key={column} class="n">
                      {said(column, row[column])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      <p class="foot">
        {totals.rows > rows.length && (
          <span class="soft">{w.ofRows(rows.length, format.value.count(totals.rows))}</span>
        )}
        {window && (
          <a href={csvOf(chosen, window)} download={`${chosen}.csv`}>
            CSV
          </a>
        )}
      </p>
    </section>
  );
}
