// The product's one CSV writer, where the export looks for it.
export { csvLine } from '../../ground/lib/csv.ts';
