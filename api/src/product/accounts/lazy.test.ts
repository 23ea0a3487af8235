// What passkeys, other providers, tokens and codes cost in memory is paid where somebody uses them, not by every installation.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const LATE = ['@simplewebauthn/server', 'openid-client', 'jose', 'otpauth', 'lean-qr', 'nodemailer'];

test('what is sealed is opened by few: people’s names and addresses by one file, a mail by what sends it', () => {
  const opening = globSync('src/product/{accounts,keys,shares}/*.ts').filter(
    (path) => !path.endsWith('.test.ts') && /\bvault(\(\))?!?\.open\(/.test(readFileSync(path, 'utf8')),
  );
  // secrets of factors by what checks them, everything by the rotation
  assert.deepEqual(opening.map((path) => path.slice('src/product/accounts/'.length)).sort(), [
    'factor-routes.ts',
    'pii.ts',
    'post.ts',
    'rotate.ts',
    'totp.ts',
  ]);
});

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
