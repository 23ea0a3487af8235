// A form's bytes become its fields, whatever character set its page was in and however its names nest.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldsOf, urlencodedFields } from './form-fields.ts';
import { boundaryIn, MultipartReader } from './multipart.ts';

const read = (text: string, said = '') =>
  fieldsOf(urlencodedFields(Buffer.from(text, 'latin1'), 100_000), said);

test('names nest, and whatever comes again is a list', () => {
  const boxes = Array(25).fill('box=on').join('&');
  for (const [sent, fields] of [
    ['a=1', { a: '1' }],
    ['a=&b', { a: '', b: '' }],
    ['a=1&a=2', { a: ['1', '2'] }],
    ['a[]=1', { a: ['1'] }],
    ['a[]=1&a[]=2', { a: ['1', '2'] }],
    ['a[0]=x&a[1]=y', { a: ['x', 'y'] }],
    ['a[3]=x', { a: { 3: 'x' } }],
    ['payload[x]=1&payload[y][z]=2', { payload: { x: '1', y: { z: '2' } } }],
    ['a[b]=1&a[b]=2', { a: { b: ['1', '2'] } }],
    ['a=1&a[b]=2', { a: '1', 'a[b]': '2' }],
    ['a[b]=2&a=1', { a: { b: '2', '': '1' } }],
    ['a[b=1', { 'a[b': '1' }],
    ['a[b][c][d][e][f]=1', { 'a[b][c][d][e][f]': '1' }],
    ['__proto__[x]=1&constructor=2&a[prototype]=3', {}],
    ['toString=1&a[hasOwnProperty]=2', { toString: '1', a: { hasOwnProperty: '2' } }],
    ['a+b=c%20d%2B', { 'a b': 'c d+' }],
    ['a=100%&b=%zz&c=%e', { a: '100%', b: '%zz', c: '%e' }],
    [boxes, { box: Array(25).fill('on') }],
  ] as [string, object][])
    assert.deepEqual(read(sent), fields, sent);
});

test('a form is read in the character set it says, else as UTF-8, else as old pages write', () => {
  for (const [sent, said, text] of [
    ['n=Zo%C3%AB', '', 'Zoë'],
    ['n=Zo%EB', '', 'Zoë'],
    ['n=Zo\xeb', '', 'Zoë'],
    ['n=%80%201', '', '€ 1'],
    ['n=Zo%EB', 'utf-8', 'Zoë'],
    ['n=Zo%EB', 'ISO-8859-1', 'Zoë'],
    ['n=%93%FA', 'Shift_JIS', '日'],
    ['_charset_=Shift_JIS&n=%93%FA', '', '日'],
    ['_charset_=shift_jis&n=%93%FA', 'utf-8', '日'],
    ['_charset_=EUC-KR&n=%B0%A1', '', '가'],
    ['_charset_=gb18030&n=%D6%D0', '', '中'],
    ['_charset_=windows-1251&n=%DF', '', 'Я'],
    ['_charset_=iso-8859-2&n=%B1', '', 'ą'],
    ['_charset_=no-such-thing&n=Zo%C3%AB', '', 'Zoë'],
    ['_charset_=&n=Zo%C3%AB', '', 'Zoë'],
    ['_charset_=windows-1252&n=%26%23128512%3B%26%238364%3B', '', '😀€'],
    ['n=%26%23128512%3B', '', '&#128512;'],
  ] as const)
    assert.equal(read(sent, said).n, text, `${sent} as ${said || 'nothing'}`);
  assert.throws(() => read('n=1', 'no-such-thing'), { code: 'unsupported_media_type' });
});

const BOUNDS = { fieldsBytesMax: 1000, bytesMax: 20_000 };

function readParts(body: Buffer, type: string, chunk: number, bounds = BOUNDS) {
  const reader = new MultipartReader(boundaryIn(type)!, bounds);
  for (let at = 0; at < body.length; at += chunk) reader.write(body.subarray(at, at + chunk));
  const { fields, files } = reader.end();
  return { fields: fieldsOf(fields, ''), files };
}

test('multipart fields are read alike however the bytes come, and files are left', async () => {
  const form = new FormData();
  for (const [name, value] of [
    ['email', 'ada@example.com'],
    ['a[]', '1'],
    ['a[]', '2'],
    ['empty', ''],
    ['text', 'two\r\nlines, and --dashes\r\n--'],
    ['quo"te', 'é'],
  ] as const)
    form.append(name, value);
  form.append('photo', new Blob(['\r\n--'.repeat(2000)]), 'a "photo".jpg');
  form.append('none', new Blob([]), '');
  const whole = new Response(form);
  const type = whole.headers.get('content-type')!;
  const body = Buffer.from(await whole.arrayBuffer());
  for (const chunk of [1, 2, 3, 5, 64, 1000, body.length])
    assert.deepEqual(
      readParts(body, type, chunk),
      {
        fields: {
          email: 'ada@example.com',
          a: ['1', '2'],
          empty: '',
          text: 'two\r\nlines, and --dashes\r\n--',
          'quo"te': 'é',
        },
        files: ['photo'],
      },
      `${chunk} bytes at once`,
    );
});

const parts = (...lines: string[]) => Buffer.from(lines.join('\r\n'), 'latin1');
const TYPE = 'multipart/form-data; boundary="b b"';

test('multipart is read as senders write it, and what is none is refused', () => {
  const field = 'Content-Disposition: form-data; name=a';
  for (const [body, expected] of [
    [parts('--b b', field, '', '1', '--b b--'), { a: '1' }],
    [parts('a preamble', '--b b  ', field, '', '1', '--b b--', 'an epilogue'), { a: '1' }],
    [parts('--b b', field, 'Content-Type: text/plain; charset=utf-8', '', '1', '--b b--'), { a: '1' }],
    [parts('--b b', field, 'Content-Transfer-Encoding: 7bit', '', '1', '--b b--'), { a: '1' }],
    [parts('--b b', 'CONTENT-DISPOSITION:form-data;NAME="a"', '', '1', '--b b--'), { a: '1' }],
    [parts('--b b', field, '', 'Zo\xeb', '--b b--'), { a: 'Zoë' }],
    [parts('--b b', '', 'no name', '--b b--'), { '': 'no name' }],
    [parts('--b b--'), {}],
  ] as const)
    assert.deepEqual(readParts(body, TYPE, 7).fields, expected, body.toString('latin1'));
  for (const body of [
    parts('--b b', field, '', '1'),
    parts(''),
    parts('--c', field, '', '1', '--c--'),
    parts('--b b', 'x'.repeat(5000)),
    parts(`--b b${'x'.repeat(5000)}`),
  ])
    assert.throws(() => readParts(body, TYPE, 9), { code: 'invalid_request' });
});

test('multipart takes no more memory than its fields may have, and no more bytes than it may', () => {
  const field = (bytes: number) =>
    parts('--b b', 'Content-Disposition: form-data; name=a', '', 'x'.repeat(bytes), '--b b--');
  const file = (bytes: number) =>
    parts('--b b', 'Content-Disposition: form-data; name=a; filename=f', '', 'x'.repeat(bytes), '--b b--');
  assert.equal(readParts(field(900), TYPE, 64).fields.a, 'x'.repeat(900));
  assert.throws(() => readParts(field(1001), TYPE, 64), { code: 'payload_too_large' });
  assert.deepEqual(readParts(file(19_000), TYPE, 64).files, ['a']);
  assert.throws(() => readParts(file(20_000), TYPE, 64), { code: 'payload_too_large' });
  const names = Buffer.concat(
    Array.from({ length: 200 }, () =>
      parts('--b b', 'Content-Disposition: form-data; name=abcdef', '', '', ''),
    ),
  );
  assert.throws(() => readParts(names, TYPE, 64), { code: 'payload_too_large' });
});
