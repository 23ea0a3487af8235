// Countries from a file: a database made here, since none with a licence and data to rely on comes as a package.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { countryLookup } from './country.ts';

const folder = mkdtempSync(join(tmpdir(), 'marketing-geo-'));
after(() => rmSync(folder, { recursive: true }));

/** The MaxMind format's own encoding of the few types that are needed. */
const text = (value: string) => Buffer.concat([Buffer.from([0x40 | value.length]), Buffer.from(value)]);
const uint = (type: number, value: number) => {
  const bytes = value < 256 ? [value] : [value >> 8, value & 255];
  return Buffer.from(type <= 7 ? [(type << 5) | bytes.length, ...bytes] : [bytes.length, type - 7, ...bytes]);
};
const map = (entries: [string, Buffer][]) =>
  Buffer.concat([
    Buffer.from([0xe0 | entries.length]),
    ...entries.flatMap(([key, value]) => [text(key), value]),
  ]);

/** Two networks: 0.0.0.0/1 is CA, 128.0.0.0/1 is FR. One node: its left and right records point at the data. */
function database(): Buffer {
  const first = map([['country_code', text('CA')]]);
  const second = map([['country', map([['iso_code', text('FR')]])]]);
  const nodes = 1;
  const pointer = (offset: number) => {
    const value = nodes + 16 + offset;
    return [value >> 16, (value >> 8) & 255, value & 255];
  };
  return Buffer.concat([
    Buffer.from([...pointer(0), ...pointer(first.length)]),
    Buffer.alloc(16),
    first,
    second,
    Buffer.from('abcdef', 'hex'),
    Buffer.from('MaxMind.com'),
    map([
      ['node_count', uint(6, nodes)],
      ['record_size', uint(5, 24)],
      ['ip_version', uint(5, 4)],
      ['database_type', text('test')],
      ['binary_format_major_version', uint(5, 2)],
      ['binary_format_minor_version', uint(5, 0)],
      ['build_epoch', uint(9, 1)],
      ['languages', Buffer.from([0, 4])],
      ['description', map([])],
    ]),
  ]);
}

test('an address has the country its network has, in either of the two usual spellings', () => {
  const file = join(folder, 'countries.mmdb');
  writeFileSync(file, database());
  const countryOf = countryLookup(file)!;
  assert.equal(countryOf('24.48.0.1'), 'CA');
  assert.equal(countryOf('195.154.0.1'), 'FR');
  assert.equal(countryOf('24.48.0.1'), 'CA');
});

test('what the file does not hold, or is no address, has no country', () => {
  const file = join(folder, 'countries.mmdb');
  writeFileSync(file, database());
  const countryOf = countryLookup(file)!;
  for (const address of ['2001:db8::1', '', 'not an address']) assert.equal(countryOf(address), null);
});

test('without a file it is off; a file that is none stops the start', () => {
  assert.equal(countryLookup(undefined), null);
  const file = join(folder, 'nothing.mmdb');
  writeFileSync(file, 'nothing');
  assert.throws(() => countryLookup(file), /GEO_DATABASE/);
});
