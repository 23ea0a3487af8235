// Settings: read once, checked together, documented in .env.example.
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigError, readConfig } from './config.ts';

const fine = { DATABASE_URL: 'postgres://a@b/c', IP_HASH_PEPPER: 'sixteen characters' };

test('every fault is listed at once, by name', () => {
  assert.throws(
    () =>
      readConfig({
        PORT: 'abc',
        ADMIN_API_KEY: 'short',
        CORS_ALLOWED_ORIGINS: 'https://a.example/path',
        TRUSTED_PROXIES: 'caddy',
      }),
    (error: Error) => {
      assert.ok(error instanceof ConfigError);
      for (const name of [
        'PORT',
        'ADMIN_API_KEY',
        'CORS_ALLOWED_ORIGINS',
        'TRUSTED_PROXIES',
        'DATABASE_URL',
        'IP_HASH_PEPPER',
      ])
        assert.match(error.message, new RegExp(`- ${name}:`));
      return true;
    },
  );
});

test('a setting can be given as a file, and an empty one is not set', () => {
  const folder = mkdtempSync(join(tmpdir(), 'marketing-config-'));
  writeFileSync(join(folder, 'key'), 'a key of more than 24 characters\n');
  const config = readConfig({ ...fine, ADMIN_API_KEY_FILE: join(folder, 'key'), PORT: '' });
  assert.equal(config.ADMIN_API_KEY, 'a key of more than 24 characters');
  assert.equal(config.PORT, 3000);
  assert.throws(
    () => readConfig({ ...fine, ADMIN_API_KEY_FILE: join(folder, 'absent') }),
    /ADMIN_API_KEY_FILE: cannot read/,
  );
});

test('the defaults are the contract’s', () => {
  const config = readConfig(fine);
  assert.deepEqual(
    [
      config.SESSION_INACTIVITY_MINUTES,
      config.ENABLE_HEURISTIC_LINKING,
      config.HEURISTIC_LINK_WINDOW_MINUTES,
      config.METRICS_SUMMARY_CACHE_TTL_MS,
      config.EVENT_RETENTION_DAYS,
    ],
    [30, true, 15, 15000, 90],
  );
});
