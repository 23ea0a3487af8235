// Values that are odd by construction, for whatever field.

// beside each: what it broke, or breaks elsewhere
export const ODD_TEXTS = [
  '0000-01-01', // PostgreSQL has no year 0
  '0001-01-01', // nor JavaScript a way back over it
  '9999-12-31', // the day after has five digits
  '300000-01-01T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '+275760-09-13T00:00:00Z',
  '\0', // no text of PostgreSQL's
  'a\0b',
  '\ud83d', // half a letter
  `${'x'.repeat(254)}😀`, // cut inside a letter
  '-1',
  '0',
  '99999999999999999999999999',
  '1e400',
  'NaN',
  '00000000-0000-0000-0000-000000000000',
  '',
  ' ',
  '\u202e',
  "'; select 1/0; --",
  '%',
  '\\',
  'null',
  'WyIyMDI2Il0', // a cursor that is JSON
  Buffer.from('["0000-01-01T00:00:00.000Z","00000000-0000-0000-0000-000000000000"]').toString('base64url'),
] as const;
export const ODD_VALUES = [
  ...ODD_TEXTS,
  null,
  true,
  -1,
  0,
  1e308,
  2 ** 53,
  -(2 ** 63),
  8.64e15,
  0.1,
  [],
  {},
  [null],
  { a: { b: '\0' } },
];
