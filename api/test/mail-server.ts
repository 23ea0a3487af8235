// A mail server that takes what it is given, or refuses it, for one test file.
import { type AddressInfo, createServer } from 'node:net';
import { after } from 'node:test';

/** Enough of RFC 5321 to take a mail; refuses is what it says to RCPT. */
export async function startMailServer(refuses: string | null = null) {
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
