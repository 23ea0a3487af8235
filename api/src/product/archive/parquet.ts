// Parquet, written and read group by group: a day of any length never is the size of our memory.
import { type FileHandle, open } from 'node:fs/promises';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  type SchemaElement,
} from 'hyparquet';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import { type ArchiveRow, COLUMNS, SCHEMA_VERSION } from './columns.ts';

/**
 * Rows that are in memory at once. Each group costs its columns' places in the file's end, which is held until the file is
 * closed: with 1000 rows a group of a million rows that is more than the rows.
 */
export const GROUP_ROWS = 2000;
// Half of what snappy leaves, for a few microseconds a row; DuckDB, ClickHouse and Arrow have read it for years.
const CODEC = 'ZSTD';
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };
const compress = (bytes: Uint8Array): Uint8Array => {
  const packed = zstdCompressSync(bytes, LEVEL);
  return new Uint8Array(packed.buffer, packed.byteOffset, packed.length);
};
const decompress = (bytes: Uint8Array): Uint8Array => {
  const plain = zstdDecompressSync(bytes);
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.length);
};

const KINDS: Record<(typeof COLUMNS)[number]['type'], Omit<SchemaElement, 'name'>> = {
  UUID: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } },
  DATE: { type: 'INT32', converted_type: 'DATE' },
  // milliseconds since 1970 in UTC
  TIMESTAMP: {
    type: 'INT64',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
  },
  STRING: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  JSON: { type: 'BYTE_ARRAY', converted_type: 'JSON' },
  BOOLEAN: { type: 'BOOLEAN' },
  INT32: { type: 'INT32' },
  FLOAT: { type: 'FLOAT' },
};

const schema: SchemaElement[] = [
  { name: 'events', num_children: COLUMNS.length },
  ...COLUMNS.map(
    ({ name, type, required }): SchemaElement => ({
      name,
      ...KINDS[type],
      repetition_type: required ? 'REQUIRED' : 'OPTIONAL',
    }),
  ),
];

/** Only by these anybody narrows a search; of all others the least and the greatest say nothing. */
const MEASURED = new Set(['occurred_at', 'site_day', 'event_type']);

/** Writes a file of all rows that come. returns how many */
export async function writeParquet(
  path: string,
  groups: AsyncIterable<ArchiveRow[]> | Iterable<ArchiveRow[]>,
): Promise<number> {
  const writer = new ParquetWriter({
    writer: fileWriter(path),
    schema,
    codec: CODEC,
    compressors: { [CODEC]: compress },
    kvMetadata: [{ key: 'marketing.events', value: String(SCHEMA_VERSION) }],
    createdBy: 'marketing-api',
  });
  let rows = 0;
  for await (const group of groups) {
    rows += group.length;
    await writer.write({
      columnData: COLUMNS.map(({ name }) => ({
        name,
        data: group.map((row) => row[name] ?? null),
        statistics: MEASURED.has(name),
        offsetIndex: false,
      })),
      rowGroupSize: group.length,
    });
  }
  await writer.finish();
  return rows;
}

/** In groups as they were written. throws  when it is no whole Parquet file, or not one of ours */
export async function* readParquet(path: string, columns?: string[]): AsyncGenerator<ArchiveRow[]> {
  const handle = await open(path);
  try {
    const file = bufferOf(handle, (await handle.stat()).size);
    const metadata = await parquetMetadataAsync(file);
    mustBeOurs(metadata);
    let rowStart = 0;
    for (const { num_rows } of metadata.row_groups) {
      const rowEnd = rowStart + Number(num_rows);
      yield await parquetReadObjects({
        file,
        metadata,
        rowStart,
        rowEnd,
        compressors: { [CODEC]: decompress },
        ...(columns ? { columns } : {}),
      });
      rowStart = rowEnd;
    }
  } finally {
    await handle.close();
  }
}

/** Reads all of it, to the last value. returns how many rows there are */
export async function countRows(path: string): Promise<number> {
  let rows = 0;
  for await (const group of readParquet(path)) rows += group.length;
  return rows;
}

function mustBeOurs({ key_value_metadata }: FileMetaData): void {
  const version = key_value_metadata?.find(({ key }) => key === 'marketing.events')?.value;
  if (version !== String(SCHEMA_VERSION))
    throw new Error(`it is of version ${version ?? 'none'} instead of ${SCHEMA_VERSION}`);
}

const bufferOf = (handle: FileHandle, byteLength: number): AsyncBuffer => ({
  byteLength,
  async slice(start, end = byteLength) {
    const buffer = new ArrayBuffer(end - start);
    const { bytesRead } = await handle.read(new Uint8Array(buffer), 0, end - start, start);
    if (bytesRead !== end - start) throw new Error('the file ends before it should');
    return buffer;
  },
});
