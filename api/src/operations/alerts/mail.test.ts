import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { after, test } from 'node:test';
import { alarmMailer } from './mail.ts';
import { sendNotice } from './send.ts';

/** Enough of RFC 5321 to take a mail; refuses is what it says to RCPT. */
async function startMailServer(refuses: string | null = null) {
  const mails: string[] = [];
  const server = createServer((socket) => {
    let data: string | null = null;
    let line = '';
    socket.setEncoding('utf8').write('220 test\r\n');
    socket.on('error', () => {});
    socket.on('data', (chunk: string) => {
      line += chunk;
      for (let end = line.indexOf('\r\n'); end !== -1; end = line.indexOf('\r\n')) {
        const text = line.slice(0, end);
        line = line.slice(end + 2);
        if (data !== null) {
          if (text === '.') {
            mails.push(data);
            data = null;
            socket.write('250 taken\r\n');
          } else data += `${text}\n`;
        } else if (/^DATA/i.test(text)) {
          data = '';
          socket.write('354 go on\r\n');
        } else if (/^RCPT/i.test(text) && refuses) socket.write(`${refuses}\r\n`);
        else if (/^QUIT/i.test(text)) socket.end('221 bye\r\n');
        else socket.write('250 fine\r\n');
      }
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  after(() => server.close());
  return { url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, mails };
}

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
