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

const UNSEEN = {
  'zero width space': '\u200b',
  'zero width non-joiner': '\u200c',
  'zero width joiner': '\u200d',
  'word joiner': '\u2060',
  'byte order mark': '\ufeff',
  'soft hyphen': '\u00ad',
  'no-break space': '\u00a0',
  'narrow no-break space': '\u202f',
  'ideographic space': '\u3000',
  'left-to-right mark': '\u200e',
  'right-to-left override': '\u202e',
  isolate: '\u2066',
  'combining grapheme joiner': '\u034f',
  'variation selector': '\ufe0f',
  'Hangul filler': '\u3164',
  tab: '\t',
};

test('what nobody can see is in no address, wherever it was pasted', () => {
  const clean = { email: 'Ada.L@Example.org', normalized: 'ada.l@example.org', domain: 'example.org' };
  for (const [name, sign] of Object.entries(UNSEEN))
    for (let at = 0; at <= clean.email.length; at += 1) {
      const typed = clean.email.slice(0, at) + sign + clean.email.slice(at);
      assert.deepEqual(readAddress(typed), clean, `${name} at ${at}`);
    }
});

test('a joiner that is part of a name stays in it', () => {
  const domain = readAddress('ada@\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.com')!.domain;
  assert.equal(domain, 'xn--mgba3gch31f060k.com');
});

test('what was pasted around an address is not part of it', () => {
  for (const typed of [
    'ada@example.com.',
    'ada@example.com, ',
    'ada@example.com;',
    '(ada@example.com)',
    '<ada@example.com>',
    '“ada@example.com”',
    '"ada@example.com"',
    "'ada@example.com'",
    '«ada@example.com»',
    'mailto:ada@example.com',
    'MAILTO: ada@example.com?subject=Bread',
    '<mailto:ada@example.com>',
    'Ada Lovelace <ada@example.com>',
    '"Lovelace, Ada" <ada@example.com>,',
    'ada\uff20example.com',
    '\r\nada@example.com\r\n',
  ])
    assert.deepEqual(
      readAddress(typed),
      { email: 'ada@example.com', normalized: 'ada@example.com', domain: 'example.com' },
      JSON.stringify(typed),
    );
  assert.equal(readAddress("'ada@example.com")?.email, "'ada@example.com", 'a legal sign of the name');
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
    'a da@example.com',
    'ada@127.0.0.1',
    'ada@[127.0.0.1]',
    'ada@example.c',
    'a,b@example.com',
    'ada@example.com\r\nBcc: eve@example.com',
    'ada@example.com/path',
    'ada@example.com:25',
    `${'x'.repeat(310)}@example.com`,
  ])
    assert.equal(readAddress(typed), null, JSON.stringify(typed));
});
