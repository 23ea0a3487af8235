// Which faults mean that the database is away, which that a value cannot be stored, and what is tried again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { asAppError } from '../http/errors.ts';
import { isDatabaseAway, isDataFault, isPassing, withRetries } from './faults.ts';

const fault = (code: string, syscall?: string) =>
  Object.assign(new Error(`${syscall ?? 'error'} ${code}`), { code, ...(syscall ? { syscall } : {}) });

const AWAY: [string, Error][] = [
  // the name of a container that is stopped, and a name server that has no answer yet
  ['a name nobody knows', fault('ENOTFOUND', 'getaddrinfo')],
  ['a name server that is busy', fault('EAI_AGAIN', 'getaddrinfo')],
  ['a name server that fails', fault('EAI_FAIL', 'getaddrinfo')],
  ['a name server out of memory', fault('EAI_MEMORY', 'getaddrinfo')],
  ['nobody listens', fault('ECONNREFUSED', 'connect')],
  ['no answer', fault('ETIMEDOUT', 'connect')],
  ['a machine without a way to it', fault('EHOSTUNREACH', 'connect')],
  ['a machine that is off', fault('EHOSTDOWN', 'connect')],
  ['a network without a way to it', fault('ENETUNREACH', 'connect')],
  ['a network that is off', fault('ENETDOWN', 'connect')],
  ['no address of our own', fault('EADDRNOTAVAIL', 'connect')],
  ['no port of our own left', fault('EADDRINUSE', 'connect')],
  ['no file handle left for it', fault('EMFILE', 'connect')],
  ["the socket's file is gone", fault('ENOENT', 'connect')],
  ['cut off while reading', fault('ECONNRESET', 'read')],
  ['cut off while writing', fault('EPIPE', 'write')],
  ['cut off, whoever says so', fault('ECONNRESET')],
  ['connection exception', fault('08000')],
  ['connection failure', fault('08006')],
  ['protocol violation', fault('08P01')],
  ['disk full', fault('53100')],
  ['out of memory', fault('53200')],
  ['too many connections', fault('53300')],
  ['stopped by an administrator', fault('57P01')],
  ['crashed', fault('57P02')],
  ['starting', fault('57P03')],
  ['dropped', fault('57P04')],
  ['only reads', fault('25006')],
  ['lost', new Error('Connection terminated unexpectedly')],
  ['ended', new Error('Connection terminated')],
  ['not connected in time', new Error('Connection terminated due to connection timeout')],
  ['no connection free in time', new Error('timeout exceeded when trying to connect')],
  ['no greeting in time', new Error('timeout expired')],
  ['no answer in time', new Error('Query read timeout')],
  ['broken before', new Error('Client has encountered a connection error and is not queryable')],
  ['closed before', new Error('Client was closed and is not queryable')],
  ['our own pool has ended', new Error('Cannot use a pool after calling end on the pool')],
  [
    'every address of the name tried',
    new AggregateError([fault('ECONNREFUSED', 'connect'), fault('ENETUNREACH', 'connect')]),
  ],
  [
    'every address of the name tried, with a code',
    Object.assign(new AggregateError([fault('ETIMEDOUT', 'connect')]), { code: 'ETIMEDOUT' }),
  ],
];

const THERE: [string, unknown][] = [
  ['a value that fits no type', fault('22P02')],
  ['a value that is there already', fault('23505')],
  ['a function that is missing', fault('42883')],
  ['no right to it', fault('42501')],
  ['a password that is refused', fault('28P01')],
  ['a fault inside the server', fault('XX000')],
  ['a deadlock', fault('40P01')],
  ['a time limit', fault('57014')],
  ['a file of ours that is missing', fault('ENOENT', 'open')],
  ['a port of ours that is taken', fault('EADDRINUSE', 'listen')],
  ['a fault of ours', new TypeError('x is not a function')],
  ['a fault of ours beside a lost connection', new AggregateError([fault('ECONNRESET'), new Error('x')])],
  ['an error of several, with none in it', new AggregateError([])],
  ['words that only look like it', new Error('the tale of: Connection terminated')],
  ['no error at all', { code: 'ECONNREFUSED' }],
  ['nothing', undefined],
];

test('every way in which the database can be away is known as that, and told as 503 with a time to come back', () => {
  for (const [name, error] of AWAY) {
    assert.equal(isDatabaseAway(error), true, name);
    assert.equal(isPassing(error), true, name);
    assert.equal(isDataFault(error), false, name);
    const { code, retryAfterSeconds } = asAppError(error);
    assert.deepEqual([code, retryAfterSeconds], ['unavailable', 5], name);
  }
});

test('what the database answered, and what is our own fault, is not taken for its absence', () => {
  for (const [name, error] of THERE) assert.equal(isDatabaseAway(error), false, name);
});

test('a name that no name server knows is what node-postgres really throws for a stopped container', async () => {
  // .invalid is never given to anyone (RFC 6761)
  const client = new pg.Client({ connectionString: 'postgres://nobody@postgres.invalid/none' });
  const thrown = await client.connect().catch((error: unknown) => error);
  assert.equal(isDatabaseAway(thrown), true, String(thrown));
});

test('only what a type or a constraint refuses is a fault of the data', () => {
  const faults = ['22001', '22P02', '23502', '23505', '23514', '40P01', '42883', '28P01', 'XX000', '22', ''];
  assert.deepEqual(
    faults.filter((code) => isDataFault(fault(code))),
    ['22001', '22P02', '23502', '23505', '23514'],
  );
});

test('a time limit and a collision pass; a fault inside the server may not', () => {
  const faults = ['57014', '55P03', '40P01', '40001', 'XX000', '42883', '23505'];
  assert.deepEqual(
    faults.filter((code) => isPassing(fault(code))),
    ['57014', '55P03', '40P01', '40001'],
  );
});

const RETRIED: [string, Error, number][] = [
  ['a deadlock', fault('40P01'), 4],
  ['a failed serialization', fault('40001'), 4],
  ['a lost connection', fault('ECONNRESET', 'read'), 2],
  ['a row without a partition', fault('23514'), 2],
  ['a value that cannot be stored', fault('22P02'), 1],
  ['a fault of ours', new TypeError('x is not a function'), 1],
];
for (const [name, error, tries] of RETRIED)
  test(`${name} is tried ${tries} times in all, and thrown then`, async () => {
    let tried = 0;
    const made: number[] = [];
    const work = () => {
      tried += 1;
      return Promise.reject(error);
    };
    await assert.rejects(
      withRetries(work, async () => void made.push(tried)),
      error,
    );
    assert.equal(tried, tries);
    assert.deepEqual(made, name === 'a row without a partition' ? [1] : []);
  });

test('a row without a partition is not tried again by who cannot make one', async () => {
  let tried = 0;
  await assert.rejects(
    withRetries(() => {
      tried += 1;
      return Promise.reject(fault('23514'));
    }),
  );
  assert.equal(tried, 1);
});
