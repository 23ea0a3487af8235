// A list as a real table, from a description of its columns. The first names the row.
import type { ComponentChildren } from 'preact';

export interface Column<Row> {
  says: string;
  /** Nobody sees its name: what stands in it says what it is. */
  isUnnamed?: boolean;
  of(row: Row): ComponentChildren;
  /** n: a number; more: left out where there is little room. */
  as?: 'n' | 'more' | 'n more' | undefined;
}

export const Table = <Row,>({
  caption,
  columns,
  rows,
  keyOf,
  isOfNumbers,
}: {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf(row: Row): string;
  /** Whose words are not broken. */
  isOfNumbers?: boolean;
}) => (
  <div class="scroll">
    <table class={isOfNumbers ? 'wide numbers' : 'wide'}>
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ says, as, isUnnamed }, n) => (
            <th key={n} scope="col" class={as}>
              {isUnnamed ? <span class="unseen">{says}</span> : says}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map(({ of, as }, n) =>
              n === 0 ? (
                <th key={n} scope="row">
                  {of(row)}
                </th>
              ) : (
                <td key={n} class={as}>
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
