// A list as a real table, from a description of its columns. The first names the row.
import type { ComponentChildren } from 'preact';

export interface Column<Row> {
  says: string;
  of(row: Row): ComponentChildren;
  /** n: a number; more: left out where there is little room. */
  as?: 'n' | 'more' | 'n more' | undefined;
}

export const Table = <Row,>({
  caption,
  columns,
  rows,
  keyOf,
}: {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf(row: Row): string;
}) => (
  <div class="scroll">
    <table class="wide">
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ says, as }) => (
            <th key={says} scope="col" class={as}>
              {says}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map(({ says, of, as }, n) =>
              n === 0 ? (
                <th key={says} scope="row">
                  {of(row)}
                </th>
              ) : (
                <td key={says} class={as}>
                  {of(row)}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
