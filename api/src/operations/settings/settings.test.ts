// Settings as an operator writes them: a slip is named at the start, and nothing that the start would refuse gets into .env.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { settings } from '../../config.ts';
import { checkSetting, SettingFault } from './check.ts';
import { APPLIANCE, nearestName, SECRET, strangers } from './names.ts';

const example = readFileSync(new URL('../../../../.env.example', import.meta.url), 'utf8');
const fine = { DATABASE_URL: 'postgres://a@b/c', IP_HASH_PEPPER: 'sixteen characters' };
const refused = (name: string, value: string, what: RegExp, environment: NodeJS.ProcessEnv = fine) =>
  assert.throws(
    () => checkSetting(name, value, environment),
    (error) => error instanceof SettingFault && what.test(error.message),
    `${name}=${value}`,
  );

test('every name of .env.example is known, and so is what it makes anew', () => {
  const named = [...example.matchAll(/^#([A-Z][A-Z0-9_]+)=/gm)].map((match) => match[1]!);
  assert.ok(named.length > 40);
  assert.deepEqual(
    named.filter((name) => !(name in settings.shape) && !(name in APPLIANCE)),
    [],
  );
});

test('a misspelt name is told with the one that was meant', () => {
  for (const [slip, meant] of [
    ['BACKUP_S3_ULR', 'BACKUP_S3_URL'],
    ['BACKUP_PUBLICKEY', 'BACKUP_PUBLIC_KEY'],
    ['EVENT_RETENTION_DAY', 'EVENT_RETENTION_DAYS'],
    ['SMPT_URL', 'SMTP_URL'],
    ['SITE_ADRESS', 'SITE_ADDRESS'],
    ['smtp_url', 'SMTP_URL'],
    ['MAILFROM', 'MAIL_FROM'],
  ])
    assert.equal(nearestName(slip!), meant);
  for (const other of ['FAVOURITE_COLOUR', 'USER', 'MAIL', 'SHELL', 'EDITOR', 'DISPLAY', 'LOGNAME', 'CI'])
    assert.equal(nearestName(other), null, other);
});

test('at the start, names that mean nothing are told: in the image all of them, elsewhere those near to one of ours', () => {
  const image = {
    PATH: '',
    HOME: '',
    HOSTNAME: '',
    LANG: '',
    TZ: '',
    PWD: '',
    SHLVL: '',
    _: '',
    APP_VERSION: '1.0.0',
    GOSU_VERSION: '',
    PG_MAJOR: '18',
    PG_VERSION: '',
    PGDATA: '',
    POSTGRES_PASSWORD: '',
    NODE_ENV: '',
    NODE_COMPILE_CACHE: '',
    HTTPS_PROXY: '',
    no_proxy: '',
  };
  const right = {
    SITE_ADDRESS: 'a.example',
    IMAGE: 'x',
    SMTP_URL_FILE: '/run/x',
    EVENT_RETENTION_DAYS: '30',
  };
  assert.deepEqual(strangers({ ...image, ...right }), []);
  assert.deepEqual(strangers({ ...image, SMPT_URL_FILE: '/run/x', FAVOURITE_COLOUR: 'blue' }), [
    { name: 'SMPT_URL_FILE', nearest: 'SMTP_URL' },
    { name: 'FAVOURITE_COLOUR', nearest: null },
  ]);
  assert.deepEqual(strangers({ FAVOURITE_COLOUR: 'blue', EVENT_RETENTION_DAY: '30' }), [
    { name: 'EVENT_RETENTION_DAY', nearest: 'EVENT_RETENTION_DAYS' },
  ]);
});

test('nothing that the image itself brings into its containers is taken for a slip of the pen', () => {
  const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  const dockerfile = read('Dockerfile');
  const env = dockerfile.slice(dockerfile.lastIndexOf('\nENV '), dockerfile.lastIndexOf('\nUSER '));
  const brought = [
    ...[...env.matchAll(/([A-Z][A-Z0-9_]*)=/g)].map(([, name]) => name!),
    ...[...read('container/marketing').matchAll(/^export ([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name!),
    // each secret that the first start makes is a file, and so a NAME_FILE
    ...[...read('container/init').matchAll(/^secret ([A-Z][A-Z0-9_]*) /gm)].map(([, name]) => `${name}_FILE`),
  ];
  assert.ok(brought.includes('MALLOC_ARENA_MAX') && brought.includes('POSTGRES_PASSWORD_FILE'));
  assert.deepEqual(strangers(Object.fromEntries([...brought, 'APP_VERSION'].map((name) => [name, '1']))), []);
});

test('a value that the start would refuse is refused before it is written', () => {
  assert.deepEqual(checkSetting('EVENT_RETENTION_DAYS', '30', fine), ['api']);
  assert.deepEqual(checkSetting('EVENT_RETENTION_DAYS', '', fine), ['api']);
  assert.deepEqual(checkSetting('SITE_ADDRESS', 'www.example.com', fine), ['caddy', 'api']);
  refused('EVENT_RETENTION_DAYS', 'ninety', /EVENT_RETENTION_DAYS: must be a whole number/);
  for (const port of ['8080', '127.0.0.1:8080', '[::1]:8080'])
    assert.ok(checkSetting('HTTP_PORT', port, fine).length > 0, port);
  for (const port of ['99999', '0', '8080x', 'localhost:8080', '1.2.3:80', '127.0.0.1:'])
    refused('HTTP_PORT', port, /1 to 65535/);
  refused('GEO_DATABASE', '/nowhere/countries.mmdb', /not a readable \.mmdb file.*docker compose cp/);
  refused('EVENT_RETENTION_DAY', '30', /is no setting; EVENT_RETENTION_DAYS was meant/);
  refused('IMAGE', 'x', /scripts\/upgrade/);
  refused('PORT', '80', /compose\.yaml/);
  refused('ADMIN_API_KEY', 'x'.repeat(30), /scripts\/rotate/);
  for (const name of SECRET) refused(name, 'x', /scripts\/secret/);
});

test('settings that need each other are refused by halves, and an old fault does not stand in the way of another setting', () => {
  const url = 'https://s3.example.com/bucket';
  refused('BACKUP_S3_URL', url, /set BACKUP_S3_ACCESS_KEY_ID and BACKUP_S3_SECRET_ACCESS_KEY too/);
  const keys = { ...fine, BACKUP_S3_ACCESS_KEY_ID: 'key', BACKUP_S3_SECRET_ACCESS_KEY: 'secret' };
  assert.deepEqual(checkSetting('BACKUP_S3_URL', url, keys), ['api']);
  assert.deepEqual(checkSetting('MAIL_FROM', 'a@example.com', { ...fine, LOG_LEVEL: 'loud' }), ['api']);
});
