// The words of a verdict are those of its numbers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Results } from '../../../ab-tests/schema.ts';
import { judge, needsOf } from '../../../ab-tests/verdict.ts';
import { tests as en } from '../words/en/tests.ts';
import { tests as fr } from '../words/fr/tests.ts';
import { formatOf } from './format.ts';
import { verdictOf } from './verdict.ts';

const NOW = Date.parse('2026-05-31T00:00:00Z');
const asked = {
  variants: [{ key: 'warm', share: 0.5, texts: null, templateId: null, trigger: null }],
  controlShare: 0.5,
  minDays: 14,
  maxDays: 56,
};

/** What the API would answer of such counts. */
function after(
  days: number,
  warm: [exposed: number, converted: number],
  control: [exposed: number, converted: number],
  more: Partial<Results['test']> = {},
): Results {
  const counts = { control, warm };
  const judged = judge(
    asked,
    new Map(Object.entries(counts).map(([key, [exposed, converted]]) => [key, { exposed, converted }])),
    days,
  );
  const startedAt = new Date(NOW - days * 86_400_000).toISOString();
  const test = { ...asked, status: 'running', chosen: null, startedAt, ...more } as Results['test'];
  const needs = needsOf(asked, judged, days, 10);
  return { ...judged, test, needs, guards: { cls: {}, inp: {}, formCompletion: {} }, history: [] };
}
const says = (results: Results, w = en) => verdictOf(results, w, formatOf(w === en ? 'en-CA' : 'fr-CA'), NOW);

test('nothing is called proven while no effect is among what may be, and what is still needed is said', () => {
  const { says: words, next } = says(after(20, [5000, 495], [5000, 405]));
  assert.equal(
    words,
    'Not proven yet: the effect of “warm” lies between −0.2% and +49.9%, and no effect at all is still possible.',
  );
  assert.match(
    next!,
    /^If it goes on as it went so far, [\d,]+ more people who reach the goal decide it: about \d+ days?\.$/,
  );
  assert.equal(says(after(3, [0, 0], [0, 0])).says, en.nobodyYet);
});

test('an effect that shows before its weeks are over is called too early, and afterwards decided with its bounds', () => {
  assert.equal(says(after(9, [5000, 515], [5000, 385])).says, en.tooEarly('14'));
  const decided = says(after(20, [5000, 515], [5000, 385]));
  assert.deepEqual([decided.level, decided.next], ['good', en.betterNext]);
  assert.match(decided.says, /^Decided: “warm” helps\..* between 8\S*% and 6\S*% more/);
  assert.match(says(after(20, [5000, 515], [5000, 385], { chosen: 'warm' })).next!, /“warm” was chosen/);
});

test('harm, arms of a wrong size and a test that ran out are said as what they are, in French too', () => {
  const harm = says(after(20, [5000, 300], [5000, 500]));
  assert.equal(harm.level, 'wrong');
  assert.match(harm.says, /^Harm: paused\. “warm” kept people from the goal, by \d\S*% to \d\S*%\./);
  assert.match(says(after(20, [5000, 300], [5000, 500]), fr).says, /^Nuisible : en pause\./);
  assert.equal(says(after(20, [6000, 500], [5000, 500])).says, en.invalid);
  assert.match(says(after(57, [5000, 500], [5000, 490])).says, /^Not proven after 56 days\./);
});
