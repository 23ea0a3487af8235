// The address is the state: what is written is read as the same, and nothing odd gets through.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  daysOf,
  INTERVALS,
  METRICS,
  PAGES,
  type Place,
  PRESET_NAMES,
  readPlace,
  USUAL,
  writePlace,
} from './place.ts';

const read = (path: string) => readPlace(new URL(path, 'https://api.example'));

test('every place is read from its address as it was written', () => {
  let seed = 7;
  const pick = <T>(all: readonly T[]): T => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return all[seed % all.length]!;
  };
  for (let n = 0; n < 2000; n += 1) {
    const site = pick([null, 'default', 'a/b', 'ümlaut & co', '100 %', 'a?b#c']);
    const place: Place = {
      site,
      page:
        site === null
          ? pick(['sites', 'account'])
          : pick([...PAGES, 'templates', 'people', 'keys', 'audit'] as const),
      id: site === null ? null : pick([null, '0198c0de-0000-7000-8000-000000000001']),
      look: {
        range: pick([...PRESET_NAMES, '2026-02-27..2026-03-02']),
        vs: pick(['previous', 'year', 'none', '2025-02-27..2025-03-02']),
        match: pick(['date', 'weekday']),
        interval: pick(INTERVALS),
        metric: pick(METRICS),
        by: pick([[], ['campaigns'], ['campaigns', 'exits']]),
        who: pick(['', 'admin_key', 'user:0198c0de & co']),
        what: pick(['', 'POST /v1/keys', 'job x=1?']),
        since: pick(['', '2026-02-27']),
        until: pick(['', '2026-03-02']),
      },
    };
    assert.deepEqual(read(writePlace(place)), place);
  }
});

test('an address that says nothing, or nonsense, is the usual look', () => {
  assert.deepEqual(read('/app'), { site: null, page: 'sites', id: null, look: USUAL });
  const odd = read(
    '/app/shop/nowhere?range=2026-02-30..2026-03-01&vs=1&metric=__proto__&by=<b>&interval=hour&since=2026-02-30',
  );
  assert.deepEqual(odd, { site: 'shop', page: 'overview', id: null, look: USUAL });
  assert.equal(read('/app/%E0%A4%A/overview').site, '');
});

test('ranges end yesterday, so that whole days stand beside whole days; today and this month hold today', () => {
  assert.deepEqual(daysOf('7d', '2026-03-03'), { from: '2026-02-24', to: '2026-03-02' });
  assert.deepEqual(daysOf('month', '2026-03-03'), { from: '2026-03-01', to: '2026-03-03' });
  assert.deepEqual(daysOf('2026-01-01..2026-01-31', '2026-03-03'), { from: '2026-01-01', to: '2026-01-31' });
});
