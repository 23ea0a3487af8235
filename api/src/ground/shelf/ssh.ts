// A folder on another machine, reached over ssh, as a place for copies.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Client, SFTPWrapper } from 'ssh2';
import { digestFile } from '../lib/digest.ts';
import { hush, OffsiteFault, type Shelf, type SshTarget, silenceOf } from './target.ts';

const NO_SUCH_FILE = 2;

interface Line {
  client: Client;
  sftp: SFTPWrapper;
  /** Rejects when the line is cut. */
  cut: Promise<never>;
}

export function sshShelf(target: SshTarget, signal?: AbortSignal): Shelf {
  const folder = decodeURIComponent(new URL(target.url).pathname).replace(/\/$/, '');
  const at = (name: string) => `${folder}/${name}`;
  let line: Promise<Line> | null = null;
  const hangUp = () => {
    line?.then(
      ({ client }) => client.destroy(),
      () => {},
    );
    line = null;
  };

  /** One line for all that is done; after a fault the next verb has a new one. */
  async function on<T>(work: (sftp: SFTPWrapper, moved: () => void) => Promise<T>): Promise<T> {
    const silence = hush(silenceOf(target), signal);
    const silent = new Promise<never>((_, reject) =>
      silence.signal.addEventListener('abort', () => reject(silence.signal.reason), { once: true }),
    );
    silent.catch(() => {});
    try {
      line ??= connect(target);
      const { sftp, cut } = await Promise.race([line, silent]);
      return await Promise.race([work(sftp, silence.moved), silent, cut]);
    } catch (error) {
      if ((error as { code?: number }).code !== NO_SUCH_FILE) hangUp();
      throw sayMissing(error, folder);
    } finally {
      silence.end();
    }
  }

  return {
    list: () =>
      on(async (sftp) => {
        const entries = await promised<{ filename: string; attrs: { size: number } }[]>((done) =>
          sftp.readdir(folder || '/', done),
        );
        return entries.map(({ filename, attrs }) => ({ name: filename, bytes: attrs.size }));
      }),
    async put(file) {
      const to = at(basename(file));
      const { size } = await stat(file);
      const { sha256 } = await digestFile(file);
      await on(async (sftp, moved) => {
        await promised<void>((done) =>
          sftp.fastPut(file, `${to}.partial`, { mode: 0o600, step: moved }, done),
        );
        const { size: there } = await promised<{ size: number }>((done) => sftp.stat(`${to}.partial`, done));
        if (there !== size)
          throw new OffsiteFault(`the server shows ${there} bytes of ${basename(file)} instead of ${size}`);
        const hash = createHash('sha256');
        for await (const chunk of pulled(sftp, `${to}.partial`, size, moved)) hash.update(chunk);
        if (hash.digest('hex') !== sha256)
          throw new OffsiteFault(`what the server gives back as ${basename(file)} is not what was sent`);
        await replace(sftp, `${to}.partial`, to);
      });
    },
    get: (name, to) =>
      on(async (sftp, moved) => {
        const { size } = await promised<{ size: number }>((done) => sftp.stat(at(name), done));
        await pipeline(
          pulled(sftp, at(name), size, moved),
          createWriteStream(to, { flags: 'wx', mode: 0o600 }),
        );
      }),
    remove: (name) =>
      on((sftp) =>
        promised<void>((done) => sftp.unlink(at(name), done)).catch((error: { code?: number }) => {
          if (error.code !== NO_SUCH_FILE) throw error;
        }),
      ),
    close: hangUp,
  };
}

async function connect(target: SshTarget): Promise<Line> {
  const { Client } = (await import('ssh2')).default;
  const url = new URL(target.url);
  const client = new Client();
  const expected = target.hostKeySha256.replace(/^SHA256:/, '').replace(/=+$/, '');
  let shown = '';
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve).once('error', reject);
      client.connect({
        host: url.hostname.replace(/^\[|\]$/g, ''), // as an IPv6 address stands in a URL
        port: Number(url.port || 22),
        username: decodeURIComponent(url.username),
        privateKey: target.privateKey,
        readyTimeout: silenceOf(target) / 2,
        keepaliveInterval: silenceOf(target) / 4,
        hostVerifier: (key: Buffer) => {
          shown = createHash('sha256').update(key).digest('base64').replace(/=+$/, '');
          return shown === expected;
        },
      });
    });
    client.on('error', () => {});
    client.setNoDelay(true);
    const cut = new Promise<never>((_, reject) => {
      client.once('close', () => reject(new OffsiteFault('the server cut the connection')));
    });
    cut.catch(() => {});
    const sftp = await Promise.race([promised<SFTPWrapper>((done) => client.sftp(done)), cut]);
    return { client, sftp, cut };
  } catch (error) {
    client.destroy();
    if (shown && shown !== expected)
      throw new OffsiteFault(
        `the server shows the host key SHA256:${shown}, not that of BACKUP_SSH_HOST_KEY`,
        {
          final: true,
        },
      );
    if ((error as { level?: string }).level === 'client-authentication')
      throw new OffsiteFault('the server does not take the key of BACKUP_SSH_KEY for that user', {
        final: true,
      });
    throw error;
  }
}

const READ_BYTES = 32_768;
// A line has its delay: asked for one by one, 32 KB each would come at 600 KB/s over 50 ms.
const READS_AHEAD = 32;

/** The first `size` bytes of a file there, in order; at most 1 MB of them is held. */
async function* pulled(sftp: SFTPWrapper, path: string, size: number, moved: () => void) {
  const handle = await promised<Buffer>((done) => sftp.open(path, 'r', done));
  const read = async (start: number) => {
    const bytes = Buffer.alloc(Math.min(READ_BYTES, size - start));
    for (let have = 0; have < bytes.length; ) {
      const got = await promised<number>((done) =>
        sftp.read(handle, bytes, have, bytes.length - have, start + have, done),
      );
      if (got === 0) throw new OffsiteFault('the server gave less of the file than it has');
      have += got;
    }
    moved();
    return bytes;
  };
  const ahead: Promise<Buffer>[] = [];
  try {
    for (let start = 0; start < size || ahead.length > 0; start += READ_BYTES) {
      if (start < size) {
        const next = read(start);
        next.catch(() => {});
        ahead.push(next);
      }
      if (ahead.length === READS_AHEAD || start + READ_BYTES >= size) yield await ahead.shift()!;
    }
  } finally {
    sftp.close(handle, () => {});
  }
}

/** As one step where the server can; else one moment has no file of that name. */
async function replace(sftp: SFTPWrapper, from: string, to: string): Promise<void> {
  try {
    await promised<void>((done) => sftp.ext_openssh_rename(from, to, done));
  } catch (error) {
    // a server without that extension is told by an Error of the library, a refusal has the protocol's number
    if (typeof (error as { code?: unknown }).code === 'number') throw error;
    await promised<void>((done) => sftp.unlink(to, done)).catch(() => {});
    await promised<void>((done) => sftp.rename(from, to, done));
  }
}

function promised<T>(work: (done: (error?: Error | null, value?: T) => void) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    try {
      work((error, value) => (error ? reject(error) : resolve(value as T)));
    } catch (error) {
      reject(error);
    }
  });
}

function sayMissing(error: unknown, folder: string): unknown {
  const { code, message } = error as { code?: unknown; message?: string };
  if (code === NO_SUCH_FILE)
    return new OffsiteFault(`the server has no folder ${folder || '/'}, or no such file in it`, {
      final: true,
    });
  if (code === 3) return new OffsiteFault('the server does not permit that to this user', { final: true });
  if (code === 4) return new OffsiteFault(`the server could not do that: ${message}`);
  return error;
}
