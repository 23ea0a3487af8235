// Reads the files of an export where they are, in the browser: which tool's they are, and what they come to by day.
import { KINDS, type Kind, type Source } from '../../../imports/kinds.ts';
import type { ImportedRow } from '../../../imports/schema.ts';
import { rowsOf, textOf } from './csv.ts';
import { Days, dayReader } from './days.ts';
import { reportsIn, takeReport } from './ga4.ts';
import { TABLE_READERS } from './tables.ts';
import { type Entry, entriesOf, NotReadable } from './unpack.ts';
import { Visits } from './visits.ts';

export interface Read {
  source: Source;
  sums: ReturnType<Days['sums']>;
  leftOut: Record<string, number>;
  /** By kind, those that have any. */
  rows: [Kind, ImportedRow[]][];
}
export { NotReadable };

/** Of aggregates without days nothing can be kept. */
const isUmamiAggregate = (text: string) => /^\s*\{\s*"zip"\s*:/.test(text);

async function readEntry(
  entry: Entry,
  into: { days: Days; visits: Visits; dayOf(ms: number): string },
): Promise<Source | null> {
  if (/\.json$/i.test(entry.name)) {
    let text = '';
    for await (const piece of textOf(entry.open())) text += piece;
    if (isUmamiAggregate(text)) throw new NotReadable('no_days');
    const reports = reportsIn(text);
    for (const report of reports) takeReport(report, into.days);
    return reports.length > 0 ? 'ga4' : null;
  }
  let header: string[] | null = null;
  let reader: (typeof TABLE_READERS)[number] | undefined;
  const has = (...names: string[]) => names.every((name) => header!.includes(name));
  for await (const rows of rowsOf(textOf(entry.open())))
    for (const row of rows) {
      if (!header) {
        // a version stands before the first name: "2Path", or in a cell of its own
        header = row.map((name, n) => (n === 0 ? name.replace(/^\d+(?=[A-Z])/, '') : name));
        if (/^\d+$/.test(header[0]!)) header.shift();
        reader = TABLE_READERS.find(({ knows }) => knows(has));
        if (!reader) return null;
        continue;
      }
      if (row.length < header.length) {
        into.days.leave('broken_rows');
        continue;
      }
      reader!.take(Object.fromEntries(header.map((name, n) => [name, row[n]!])), into, has);
    }
  return reader?.source ?? null;
}

/**
 * timeZone  whose days instants are put into; before: the first day that is left out
 * throws    NotReadable with why: nothing, mixed, no_days, zip, zip64
 */
export async function readExport(
  files: { name: string; blob: Blob }[],
  { timeZone, before }: { timeZone: string; before: string },
): Promise<Read> {
  const days = new Days();
  const visits = new Visits();
  const into = { days, visits, dayOf: dayReader(timeZone) };
  const sources = new Set<Source>();
  for (const file of files)
    for (const entry of await entriesOf(file)) {
      const source = await readEntry(entry, into);
      if (source) sources.add(source);
      else days.leave('unknown_files');
    }
  const [source] = sources;
  if (!source) throw new NotReadable('nothing');
  if (sources.size > 1) throw new NotReadable('mixed');
  visits.into(days);
  days.cut(before);
  const rows = KINDS.map((kind) => [kind, days.rowsOf(kind)] as [Kind, ImportedRow[]]).filter(
    ([, all]) => all.length > 0,
  );
  return { source, sums: days.sums(), leftOut: days.leftOut, rows };
}
