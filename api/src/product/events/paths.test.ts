// One page under one name, case by case.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPath, readReferrer, STANDARD_RULES } from './paths.ts';

const pathOf = (given: string, rules = {}) => readPath(given, { ...STANDARD_RULES, ...rules }).path;

const ONE_PAGE: Record<string, string[]> = {
  '/about': [
    '/about',
    '/about/',
    '//about',
    'about',
    '/about//',
    '/a/../about',
    '/./about',
    '/about/.',
    '/a/b/../../about/',
    '/about;jsessionid=1A2B',
    '/about;JSESSIONID=1A2B!-17',
    '/about;phpsessid=9',
    '/(S(lit3py55t21z5v55vlm25s55))/about',
    '/about#team',
    '/about?fbclid=',
    '/about?page=2',
    'https://bakery.example/about/',
    'HTTPS://bakery.example:8443/about',
    '/%61bout',
    '/about?',
    '\\about',
    '/../../about',
    '/%2e%2e/about',
    ' /about ',
    'capacitor://localhost/about',
  ],
  '/über-uns': [
    '/über-uns',
    '/%C3%BCber-uns',
    '/%c3%bcber-uns',
    '/%c3%bcber%2Duns/',
    '/u\u0308ber-uns',
    '/u%CC%88ber-uns',
  ],
  '/danke schön': ['/danke schön', '/danke%20sch%C3%B6n', '/danke%20sch%c3%b6n/'],
  '/日本語/🥖': ['/日本語/🥖', '/%E6%97%A5%E6%9C%AC%E8%AA%9E/%F0%9F%A5%96'],
  '/caf%E9': ['/caf%E9', '/caf%e9', '/caf%E9/'],
  '/a%2Fb': ['/a%2Fb', '/a%2fb', '/a%2fb/'],
  '/100%25': ['/100%25', '/100%25/'],
  '/a%E2%80%8Bb': ['/a\u200bb', '/a%E2%80%8Bb', '/a%e2%80%8bb'],
  '/': ['/', '//', '', '/.', '/..', '/?x=1', '?x=1', '#top', 'https://bakery.example', '/./'],
  '/hello/[email]': [
    '/hello/john.poe@pii.example',
    '/hello/john.poe%40pii.example',
    '/hello/JOHN%2BPOE%40pii.example/',
    '/hello/zo%C3%AB@b%C3%BCcher.example',
    '/hello/john_poe%2540pii.example'.replace('%2540', '%40'),
  ],
  '/(file)': [
    'file:///home/ada/saved%20page.html',
    'file:///C:/Users/ada/page.html',
    '/C:/Users/ada/page.html',
    'C:\\Users\\ada\\page.html',
  ],
};

for (const [path, spellings] of Object.entries(ONE_PAGE))
  test(`the page ${path} has one name, however it is spelt`, () => {
    for (const given of spellings) assert.equal(pathOf(given), path, JSON.stringify(given));
  });

test('what is another page stays another page', () => {
  for (const path of [
    '/About',
    '/about.html',
    '/a/b',
    '/a;v=1',
    '/@ada',
    '/package@1.2.3',
    '/.well-known/x',
    '/a+b',
    '/maps/@48.85,2.35',
    '/a%3Fb',
    '/a%23b',
  ])
    assert.equal(pathOf(path), path);
});

test('a path that was read once is read the same again', () => {
  for (const given of [
    ...Object.values(ONE_PAGE).flat(),
    '/a b/c?utm_source=%5Bx%5D&gclid=1',
    '/%25%34%31',
    '/%252e%252e/a',
  ])
    assert.equal(pathOf(pathOf(given)), pathOf(given), given);
});

test('a site may keep its trailing slashes, and may route by fragment', () => {
  assert.equal(pathOf('/about/', { keepTrailingSlash: true }), '/about/');
  assert.equal(pathOf('/about', { keepTrailingSlash: true }), '/about');
  assert.equal(pathOf('/a//b//', { keepTrailingSlash: true }), '/a/b/');
  const routes = { hashRoutes: true };
  assert.equal(pathOf('/app#/menu', routes), '/menu');
  assert.equal(pathOf('/app/#!/menu/', routes), '/menu');
  assert.equal(pathOf('/#/', routes), '/');
  assert.equal(pathOf('/app#team', routes), '/app', 'an anchor is no route');
  assert.equal(pathOf('/app#/menu?utm_source=x&token=1', routes), '/menu?utm_source=x');
  assert.equal(pathOf('/app#/menu'), '/app');
});

test('of a query only campaigns and click ids are kept, under one name each', () => {
  for (const given of [
    '/a?UTM_Source=x&Gclid=7&email=ada@example.com',
    '/a?utm_source[]=x&amp;gclid[]=7',
    '/a/?x=1&utm_source=x&utm_source=y&gclid=7#frag',
    '/a?gclid=&utm_source=x&gclid=7',
  ])
    assert.deepEqual(
      readPath(given),
      { path: '/a?utm_source=x&gclid=7', utm: { source: 'x' }, clickIds: ['gclid'] },
      given,
    );
  assert.deepEqual(readPath('/a?utm_content=ada%40example.com').utm, { content: '[email]' });
});

test('a path is read in bounded time and length, whatever it holds', () => {
  const long = `/${'a'.repeat(1000)}@${'b.'.repeat(500)}`;
  for (const given of [
    long,
    `/${'%C3%BC'.repeat(340)}`,
    `/${'\u200b'.repeat(2000)}`,
    '/../'.repeat(500),
    `/?${'utm_source%3D'.repeat(150)}`,
  ])
    assert.ok(pathOf(given).length <= 2048);
});

test('of a referrer its page is kept, without query, address or file', () => {
  assert.equal(readReferrer('https://a.example/b?q=secret#x'), 'https://a.example/b');
  assert.equal(readReferrer('https://ada:pw@a.example/'), 'https://a.example/');
  assert.equal(
    readReferrer('https://a.example/unsubscribe/ada@example.com'),
    'https://a.example/unsubscribe/[email]',
  );
  assert.equal(readReferrer('file:///home/ada/x.html'), undefined);
  assert.equal(readReferrer('android-app://com.google.android.gm/'), 'android-app://com.google.android.gm/');
});
