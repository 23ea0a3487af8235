// What passkeys, other providers, tokens and codes cost in memory is paid where somebody uses them, not by every installation.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const LATE = ['@simplewebauthn/server', 'openid-client', 'jose', 'otpauth', 'nodemailer'];

test('a library of the accounts is loaded by the first who needs it, and by no start', () => {
  const sources = globSync('src/**/*.ts').filter((path) => !path.endsWith('.test.ts'));
  for (const name of LATE) {
    const early = sources.filter((path) =>
      new RegExp(`^import (?!type ).*from '${name}`, 'm').test(readFileSync(path, 'utf8')),
    );
    assert.deepEqual(early, [], name);
    const late = sources.filter((path) => readFileSync(path, 'utf8').includes(`await import('${name}')`));
    const loads = sources.filter((path) => readFileSync(path, 'utf8').includes(`import('${name}')`));
    assert.ok(late.length + loads.length > 0, `${name} is used`);
  }
});
