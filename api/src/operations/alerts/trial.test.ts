// Whether alarms and mails get out is tried before they are needed.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { startMailServer } from '../../../test/mail-server.ts';
import { readConfig } from '../../config.ts';
import { tryAlarm, tryMail } from './trial.ts';

const config = (settings: Record<string, string>) =>
  readConfig({ DATABASE_URL: 'postgres://a@b/c', IP_HASH_PEPPER: 'sixteen characters', ...settings });

test('a trial of the alarms goes every way that is set up, says that nothing is wrong, and tells what came of it', async () => {
  const texts: string[] = [];
  let status = 200;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    texts.push(JSON.parse(body).text);
    response.writeHead(status).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  after(() => server.close());
  const ALERT_WEBHOOK_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { url, mails } = await startMailServer();
  const both = config({ ALERT_WEBHOOK_URL, SMTP_URL: url, ALERT_EMAIL: 'ops@example.com' });
  assert.deepEqual(await tryAlarm(both), [
    { to: 'webhook', ok: true, message: 'sent' },
    { to: 'mail', ok: true, message: 'sent' },
  ]);
  assert.match(texts[0]!, /TRIAL \(warning\) trial: This is a trial of the alarms; nothing is wrong/);
  assert.match(mails[0]!, /^Subject: .*TRIAL/m);
  status = 404;
  assert.deepEqual(await tryAlarm(config({ ALERT_WEBHOOK_URL })), [
    { to: 'webhook', ok: false, message: 'the webhook answered 404' },
  ]);
  assert.deepEqual(await tryAlarm(config({})), []);
});

test('a trial mail says what the mail server answered, or what is wrong', async () => {
  const MAIL_FROM = 'box@example.com';
  const { url, mails } = await startMailServer();
  assert.match(await tryMail(config({ SMTP_URL: url, MAIL_FROM }), 'ada@example.com'), /^250/);
  assert.match(mails[0]!, /^To: ada@example\.com$/m);
  const refusing = await startMailServer('550 no such mailbox');
  for (const [settings, what] of [
    [{ SMTP_URL: refusing.url, MAIL_FROM }, /refuses the sender or the recipient.*550 no such mailbox/],
    [{ SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM }, /cannot be reached.*ECONNREFUSED/],
    [{ MAIL_FROM }, /scripts\/secret SMTP_URL/],
    [{ SMTP_URL: url }, /scripts\/set MAIL_FROM/],
  ] as const)
    await assert.rejects(tryMail(config(settings), 'ada@example.com'), what);
});
