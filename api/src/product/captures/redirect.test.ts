// Nobody can use a form of ours to send people to another host.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { safeRedirect } from './redirect.ts';

const origins = ['https://bakery.example', 'http://localhost:8080'];
const page = 'https://bakery.example/contact.html';

test('a form sends the person on to a page of its own site', () => {
  assert.equal(safeRedirect('/thanks', origins, page), 'https://bakery.example/thanks');
  assert.equal(safeRedirect('/thanks?a=1#b', origins, page), 'https://bakery.example/thanks?a=1#b');
  assert.equal(safeRedirect('https://bakery.example/x', origins, undefined), 'https://bakery.example/x');
  assert.equal(safeRedirect('http://localhost:8080/', origins, page), 'http://localhost:8080/');
  assert.equal(safeRedirect('/a/../thanks', origins, page), 'https://bakery.example/thanks');
});

test('whatever is tried, a redirect never leaves the allowed origins', () => {
  const corpus = [
    '//evil.example',
    '///evil.example',
    '////evil.example/x',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '/\r\nLocation: https://evil.example',
    '\t//evil.example',
    ' //evil.example',
    'https:evil.example',
    'https:/evil.example',
    'https:///evil.example',
    'https://evil.example',
    'HTTPS://EVIL.EXAMPLE',
    'http://bakery.example',
    'https://bakery.example:444/',
    'https://bakery.example.evil.example',
    'https://bakery.example@evil.example',
    'https://user:pw@bakery.example/',
    'https://bakery.example\\@evil.example',
    'https://evil.example#@bakery.example',
    'https://evil.example?https://bakery.example',
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'mailto:a@b.co',
    'ftp://bakery.example',
    'evil.example',
    'thanks',
    './thanks',
    '../thanks',
    '?x',
    '#x',
    '',
    '/%09/evil.example',
    '/\u0000/evil.example',
    '/\u2028/evil.example',
    '/\u200b/evil.example',
    '/\u202e/evil.example',
    '//bakery.example',
    '/.//evil.example',
    '/..//evil.example',
    '/;@evil.example',
    '/@evil.example',
    '//evil%E3%80%82example',
    '/\u3002evil.example',
    'https://bakery%2eexample/',
    'https://[::1]/',
    'blob:https://bakery.example/x',
    `/${'x'.repeat(3000)}`,
    'https://bakery.example\u0009.evil.example',
    'https://\u0062akery.example.',
    '/\uff0fevil.example',
    '\uff0f\uff0fevil.example',
  ];
  for (const wanted of corpus) {
    for (const from of [
      page,
      undefined,
      'https://evil.example/form',
      'not a url',
      'https://bakery.example',
    ]) {
      const target = safeRedirect(wanted, origins, from);
      if (target === null) continue;
      assert.ok(
        origins.includes(new URL(target).origin),
        `${JSON.stringify(wanted)} from ${from} went to ${target}`,
      );
      assert.doesNotMatch(target, /[\r\n\t\\]/);
      // the browser resolves what we send once more
      assert.ok(origins.includes(new URL(target, 'https://api.example/v1/leads/capture').origin));
    }
  }
});

test('a local path counts only on a page of the site', () => {
  assert.equal(safeRedirect('/thanks', origins, undefined), null);
  assert.equal(safeRedirect('/thanks', origins, 'https://evil.example/'), null);
  assert.equal(safeRedirect('/thanks', [], page), null);
});

test('a path is meant as a link on the page would mean it, with or without its slash', () => {
  const deep = 'https://bakery.example/de/contact.html';
  for (const [wanted, from, path, target] of [
    ['thanks.html', deep, undefined, '/de/thanks.html'],
    ['./thanks', deep, undefined, '/de/thanks'],
    ['../thanks', deep, undefined, '/thanks'],
    ['?sent=1', deep, undefined, '/de/contact.html?sent=1'],
    ['#thanks', deep, undefined, '/de/contact.html#thanks'],
    ['danke schön', deep, undefined, '/de/danke%20sch%C3%B6n'],
    ['/danke schön', deep, undefined, '/danke%20sch%C3%B6n'],
    [' /thanks ', deep, undefined, '/thanks'],
    // the browser names the origin alone; the form says its page
    ['thanks.html', 'https://bakery.example/', '/de/contact.html', '/de/thanks.html'],
    ['thanks.html', 'https://bakery.example', undefined, '/thanks.html'],
    ['/thanks', 'https://bakery.example/', '//evil.example/x', '/thanks'],
  ] as const)
    assert.equal(safeRedirect(wanted, origins, from, path), `https://bakery.example${target}`, wanted);
  for (const wanted of [
    'javascript:alert(1)',
    'mailto:a@b.co',
    'data:text/html,x',
    'tel:1',
    '//evil.example',
    'a\u00a0b',
  ])
    assert.equal(safeRedirect(wanted, origins, deep), null, wanted);
});
