// What makes a submission wait for an admin, and what does not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeFormToken, makeFormToken, type SpamFacts, SUSPICIOUS_FROM, spamScore } from './spam.ts';

const honest: SpamFacts = {
  formToken: 'none',
  challenge: 'off',
  isDisposable: false,
  isBotAgent: false,
  hasUserAgent: true,
  isPrefetch: false,
  tooMany: [],
  payload: { message: 'Do you bake rye bread on Sundays?' },
};
const score = (facts: Partial<SpamFacts>) => spamScore({ ...honest, ...facts }).score;

test('an ordinary submission has no points', () => assert.equal(score({}), 0));

test('one weak sign does not keep anyone waiting', () => {
  for (const facts of [
    { isDisposable: true },
    { isBotAgent: true },
    { hasUserAgent: false },
    { formToken: 'stale' },
    { challenge: 'missing' },
    { challenge: 'unreachable' },
    { payload: { website: 'https://bakery.example' } },
    { payload: 'http://a http://b http://c' },
  ] as Partial<SpamFacts>[])
    assert.ok(score(facts) < SUSPICIOUS_FROM, JSON.stringify(facts));
});

test('a strong sign, or several weak ones, do', () => {
  for (const facts of [
    { formToken: 'too_fast' },
    { formToken: 'forged' },
    { challenge: 'failed' },
    { tooMany: ['too_many_for_address'] },
    { tooMany: ['too_many_for_site'] },
    { isPrefetch: true },
    { payload: { message: '<a href="x">cheap</a>' } },
    { isDisposable: true, isBotAgent: true, challenge: 'missing' },
    { isDisposable: true, payload: ['http://a', 'http://b', 'http://c'] },
  ] as Partial<SpamFacts>[])
    assert.ok(score(facts) >= SUSPICIOUS_FROM, JSON.stringify(facts));
});

test('a form token tells haste, age and forgery apart', () => {
  const shown = 1_800_000_000_000;
  const token = makeFormToken('secret', shown);
  assert.equal(judgeFormToken('secret', token, shown + 500), 'too_fast');
  assert.equal(judgeFormToken('secret', token, shown + 5000), 'good');
  assert.equal(judgeFormToken('secret', token, shown + 25 * 3_600_000), 'stale');
  assert.equal(judgeFormToken('other', token, shown + 5000), 'forged');
  assert.equal(judgeFormToken('secret', `1${token}`, shown + 5000), 'forged');
  assert.equal(judgeFormToken('secret', 'nonsense', shown), 'forged');
  assert.equal(judgeFormToken('secret', token, shown - 60_000), 'forged');
  assert.equal(judgeFormToken('secret', undefined, shown), 'none');
});
