// One spelling for one address.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAddress } from './email.ts';

test('an address is known by one spelling: trimmed, NFC, lower-case, its domain in ASCII', () => {
  for (const [typed, normalized] of [
    ['  Ada@Example.COM ', 'ada@example.com'],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['ada@BÜCHER.example', 'ada@xn--bcher-kva.example'],
    ['ada@xn--bcher-kva.example', 'ada@xn--bcher-kva.example'],
    ['ada@bu\u0308cher.example', 'ada@xn--bcher-kva.example'],
    ['jose\u0301@example.com', 'jos\u00e9@example.com'],
    ['JOSÉ@example.com', 'josé@example.com'],
    ['ada@example。com', 'ada@example.com'],
    ["o'brien@example.co.uk", "o'brien@example.co.uk"],
    ['a@b.co', 'a@b.co'],
    ['ada@mail.例え.jp', 'ada@mail.xn--r8jz45g.jp'],
  ] as const)
    assert.equal(readAddress(typed)?.normalized, normalized, typed);
});

test('normalizing twice changes nothing', () => {
  for (const typed of ['İstanbul@example.com', 'ADA@bücher.example', 'ǅ@example.com', 'ﬁ@example.com']) {
    const once = readAddress(typed)!.normalized;
    assert.equal(readAddress(once)!.normalized, once, typed);
  }
});

test('dots and plus signs are not folded: only the mailbox knows what they mean', () => {
  assert.equal(readAddress('a.d.a+news@example.com')!.normalized, 'a.d.a+news@example.com');
});

test('what no mail can be delivered to is not an address', () => {
  for (const typed of [
    '',
    'ada',
    'ada@',
    '@example.com',
    'ada@example',
    'ada@localhost',
    'ada@-example.com',
    'ada@example-.com',
    'ada@exa mple.com',
    'ada@example..com',
    'ada@.example.com',
    'ada@example.com.',
    'a da@example.com',
    'ada@127.0.0.1',
    'ada@[127.0.0.1]',
    'ada@example.c',
    'a,b@example.com',
    'ada\u202e@example.com',
    'ada@example.com\r\nBcc: eve@example.com',
    'ada@example.com/path',
    'ada@example.com:25',
    `${'x'.repeat(310)}@example.com`,
  ])
    assert.equal(readAddress(typed), null, JSON.stringify(typed));
});
