// Which device a user agent means and whether a person is behind it, by a table of real ones.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { enrich, type RequestFacts } from './enrich.ts';
import { readUserAgent } from './user-agent.ts';

const corpus = readFileSync(new URL('user-agents.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t') as [string, string, string]);

test('the corpus: people, robots, apps with a browser in them, televisions, consoles, tablets', () => {
  assert.ok(corpus.length >= 300, `${corpus.length} rows`);
  const wrong = corpus.flatMap(([expected, kind, userAgent]) => {
    const { deviceType, isBot } = readUserAgent(userAgent);
    const isRight = deviceType === expected && isBot === (expected === 'bot');
    return isRight ? [] : [`${kind}: ${deviceType}, expected ${expected}: ${userAgent}`];
  });
  assert.deepEqual(wrong, []);
});

test('a system is named where its device is known', () => {
  for (const [kind, os] of [
    ['a Chromebook', 'Chrome OS'],
    ['an iPhone', 'iOS'],
    ['an Android phone', 'Android'],
    ['Chrome on Windows', 'Windows'],
    ['Safari', 'macOS'],
  ])
    for (const [, of, userAgent] of corpus)
      if (of === kind) assert.equal(readUserAgent(userAgent).os, os, userAgent);
});

test('an iPad that says it is a Mac is one as soon as its page saw a finger', () => {
  const [, , mac] = corpus.find(([, kind]) => kind === 'Safari')!;
  const facts: RequestFacts = {
    siteId: '00000000-0000-4000-8000-000000000000',
    ownHosts: [],
    client: { userAgent: mac!, ipHash: '\\x00', uaHash: '\\x00' },
    country: null,
    privacySignal: false,
    prefetch: false,
  };
  const seen = (deviceType?: 'tablet') => {
    const event = { anonId: 'ada-browser-1', eventType: 'page_view', path: '/', traffic: { deviceType } };
    const { device_type, os } = enrich(event, facts, event);
    return [device_type, os];
  };
  assert.deepEqual(seen('tablet'), ['tablet', 'iOS']);
  assert.deepEqual(seen(), ['desktop', 'macOS']);
});
