import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startMailServer } from '../../../test/mail-server.ts';
import { alarmMailer } from './mail.ts';
import { sendNotice } from './send.ts';

const notice = {
  kind: 'alarm' as const,
  id: 'disk',
  severity: 'critical' as const,
  message: 'The disk is 91 % full',
  since: '2026-03-01T00:00:00.000Z',
};
const people = { from: 'box@example.com', to: 'operator@example.com' };

test('an alarm reaches the operator’s mailbox', async () => {
  const { url, mails } = await startMailServer();
  const recipients = { webhookUrl: null, mail: alarmMailer({ smtpUrl: url, ...people }), where: 'box' };
  assert.deepEqual(await sendNotice(notice, recipients), [{ to: 'mail', ok: true }]);
  assert.match(mails[0]!, /^To: operator@example\.com$/m);
  assert.match(mails[0]!, /^Subject: \[box\] ALARM \(critical\) disk: The disk is 91 % full$/m);
});

test('a mail server that refuses, or is away, is a result and not an exception', async () => {
  const { url } = await startMailServer('550 no such mailbox');
  for (const smtpUrl of [url, 'smtp://127.0.0.1:9']) {
    const recipients = { webhookUrl: null, mail: alarmMailer({ smtpUrl, ...people }), where: 'box' };
    const [sent] = await sendNotice(notice, recipients);
    assert.equal(sent!.ok, false);
  }
});
