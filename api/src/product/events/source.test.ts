// Where a visit came from, case by case.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readPath, readReferrer } from './paths.ts';
import { isReferrerSpam } from './referrer-spam.ts';
import { registrableDomain, sourceOf } from './source.ts';

const of = (touch: { utm?: Record<string, string>; clickIds?: readonly string[]; referrer?: string }) =>
  sourceOf({ clickIds: [], ...touch, ownHosts: ['bakery.example', 'www.bakery.example'] });

for (const [what, touch, source] of [
  ['nothing', {}, 'direct'],
  ['a Google click id', { clickIds: ['gclid'] }, 'paid_search'],
  [
    'a Google click id in a mail that somebody shared',
    { clickIds: ['gclid'], utm: { medium: 'email' } },
    'email',
  ],
  ['a Microsoft click id', { clickIds: ['msclkid'] }, 'paid_search'],
  ['a Facebook click id', { clickIds: ['fbclid'] }, 'social'],
  ['a TikTok click id', { clickIds: ['ttclid'] }, 'social'],
  [
    'a Facebook click id of a paid link',
    { clickIds: ['fbclid'], utm: { medium: 'paid_social' } },
    'paid_social',
  ],
  ['paid clicks from a social network', { utm: { medium: 'cpc', source: 'facebook' } }, 'paid_social'],
  ['paid clicks from Google', { utm: { medium: 'CPC', source: 'google' } }, 'paid_search'],
  ['paid clicks from nobody known', { utm: { medium: 'ppc' } }, 'paid_search'],
  ['a banner', { utm: { medium: 'banner', source: 'paper' } }, 'display'],
  ['a mail', { utm: { medium: 'e-mail', source: 'x' } }, 'email'],
  ['an affiliate', { utm: { medium: 'affiliate' } }, 'affiliate'],
  ['a social post', { utm: { medium: 'social' } }, 'social'],
  ['organic', { utm: { medium: 'organic', source: 'bing' } }, 'organic_search'],
  ['only a source that is a search engine', { utm: { source: 'google' } }, 'organic_search'],
  ['only a source that is a network', { utm: { source: 'linkedin' } }, 'social'],
  ['only a source that is a host of a network', { utm: { source: 'facebook.com' } }, 'social'],
  ['only a source nobody knows', { utm: { source: 'leaflet' } }, 'campaign'],
  ['only a campaign', { utm: { campaign: 'spring' }, referrer: 'https://www.google.com/' }, 'campaign'],
  ['a medium nobody knows', { utm: { medium: 'podcast', source: 'show' } }, 'campaign'],
  ['the site itself', { referrer: 'https://www.bakery.example/menu' }, 'carried'],
  ['a subdomain of the site', { referrer: 'https://shop.bakery.example/' }, 'carried'],
  ['Google in Canada', { referrer: 'https://www.google.ca/' }, 'organic_search'],
  ['DuckDuckGo', { referrer: 'https://duckduckgo.com/' }, 'organic_search'],
  ['a host that contains google', { referrer: 'https://notgoogle.com/' }, 'referral'],
  ['a host that begins with google.com', { referrer: 'https://google.com.evil.example/' }, 'referral'],
  ['a path that contains google.com', { referrer: 'https://evil.example/google.com' }, 'referral'],
  ['Facebook on a phone', { referrer: 'https://m.facebook.com/' }, 'social'],
  ['a shortened link of X', { referrer: 'https://t.co/abc' }, 'social'],
  ['Reddit on any subdomain', { referrer: 'https://out.reddit.com/' }, 'social'],
  ['web mail of a search engine', { referrer: 'https://mail.google.com/' }, 'email'],
  ['an assistant', { referrer: 'https://chatgpt.com/' }, 'ai_assistant'],
  ['an assistant of a search engine', { referrer: 'https://gemini.google.com/app' }, 'ai_assistant'],
  ['an assistant on a subdomain', { referrer: 'https://www.perplexity.ai/search' }, 'ai_assistant'],
  ['some blog', { referrer: 'https://blog.example.org/post' }, 'referral'],
  ['nonsense', { referrer: 'not a url at all' }, 'direct'],
] as const) {
  test(`a first touch with ${what} is ${source}`, () => assert.equal(of(touch), source));
}

test('a registrable domain follows the public suffix list', () => {
  assert.equal(registrableDomain('www.shop.example.co.uk'), 'example.co.uk');
  assert.equal(
    registrableDomain('www.ada.github.io'),
    'ada.github.io',
    'neighbours on a hosting domain are strangers',
  );
  assert.equal(registrableDomain('localhost'), 'localhost');
});

test('of a query only campaign and click-id parameters are kept', () => {
  assert.deepEqual(readPath('/a?email=ada@example.com&utm_source=x&gclid=7#frag'), {
    path: '/a?utm_source=x&gclid=7',
    utm: { source: 'x' },
    clickIds: ['gclid'],
  });
  assert.deepEqual(readPath('https://bakery.example/menu?token=1'), {
    path: '/menu',
    utm: undefined,
    clickIds: [],
  });
  assert.deepEqual(readPath('/a?utm_source=%20'), { path: '/a', utm: undefined, clickIds: [] });
  assert.equal(readPath('?x=1').path, '/');
});

const corpus = readFileSync(new URL('source-corpus.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t') as [string, string, string, string]);

test('the corpus: what real links and referrers say, each with its reason', () => {
  assert.ok(corpus.length >= 400, `${corpus.length} rows`);
  const wrong = corpus.flatMap(([expected, query, referrer, why]) => {
    const { utm, clickIds } = readPath(query.startsWith('#') ? `/${query}` : `/?${query}`);
    const ownHosts = ['bakery.example', 'www.bakery.example', 'ada.github.io'];
    const found = sourceOf({ utm, clickIds, referrer: readReferrer(referrer || undefined), ownHosts });
    return found === expected ? [] : [`${query} ${referrer}: ${found}, expected ${expected} (${why})`];
  });
  assert.deepEqual(wrong, []);
});

test('referrer spam is known by its registrable domain, and nothing that only contains its name', () => {
  for (const host of [
    'semalt.com',
    'www.semalt.com',
    'semalt.semalt.com',
    'free.buttons-for-website.com',
    'darodar.com',
    'trafficbot.life',
  ])
    assert.ok(isReferrerSpam(`https://${host}/x`), host);
  for (const host of [
    'notsemalt.com',
    'semalt.com.example',
    'example.com/semalt.com',
    'econom.com',
    'google.com',
    'ok.ru',
  ])
    assert.ok(!isReferrerSpam(`https://${host}/`), host);
  assert.ok(!isReferrerSpam('android-app://semalt.com/') && !isReferrerSpam('semalt'));
});
