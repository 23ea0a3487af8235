// A mail server that falls silent is given up, so that what is to be sent after it goes elsewhere or later.
import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { makeTransport } from './transport.ts';

const patience = { connectionTimeout: 500, greetingTimeout: 500, socketTimeout: 500 };

for (const [how, greeting] of [
  ['says nothing', ''],
  ['greets and then says nothing', '220 mail.example ESMTP\r\n'],
] as const)
  test(`a mail server that ${how} is given up`, async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write(greeting);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const transport = await makeTransport(`smtp://127.0.0.1:${port}`, patience);
    try {
      await assert.rejects(
        transport.sendMail({ from: 'a@bakery.example', to: 'b@bakery.example', text: 'Bread.' }),
        /timeout|Greeting never received/i,
      );
    } finally {
      transport.close();
      server.close();
    }
  });

test('without other words it waits seconds, not minutes', async () => {
  const { options } = (await makeTransport('smtps://user:word@mail.example:465')) as unknown as {
    options: Record<string, unknown>;
  };
  const { host, secure, connectionTimeout, greetingTimeout, socketTimeout } = options;
  assert.deepEqual([host, secure], ['mail.example', true]);
  assert.deepEqual([connectionTimeout, greetingTimeout, socketTimeout], [10_000, 10_000, 20_000]);
});
