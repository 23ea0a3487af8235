// A real ssh server with sftp, in this process, on a folder of its own; it misbehaves as it is told.
import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, readdir, rename, stat, unlink } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import type { SshTarget } from '../src/ground/shelf/target.ts';

export interface SshServer {
  target: SshTarget;
  /** Where what it is given lies. */
  folder: string;
  night: 'well' | 'cuts' | 'stores half' | 'is silent' | 'removes nothing' | 'is full';
  close(): void;
}

const { STATUS_CODE } = ssh2.utils.sftp;
const keys = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });

export async function startSshServer(): Promise<SshServer> {
  const [hostKey, clientKey] = [keys(), keys()];
  const allowed = ssh2.utils.parseKey(clientKey.privateKey) as ssh2.ParsedKey;
  const folder = mkdtempSync(join(tmpdir(), 'marketing-ssh-'));
  const server = new ssh2.Server({ hostKeys: [hostKey.privateKey] }, (client) => {
    client.on('error', () => {});
    // else each answer waits 40 ms for the next
    (client as unknown as { setNoDelay(on: boolean): void }).setNoDelay(true);
    client.on('authentication', (attempt) => {
      const known = attempt.method === 'publickey' && attempt.key.data.equals(allowed.getPublicSSH());
      if (!known) return attempt.reject();
      if (attempt.signature && allowed.verify(attempt.blob!, attempt.signature, attempt.hashAlgo) !== true)
        return attempt.reject();
      attempt.accept();
    });
    client.on('session', (accept) => {
      accept().on('sftp', (acceptSftp) => serve(own, client, acceptSftp()));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const hostKeyData = (ssh2.utils.parseKey(hostKey.privateKey) as ssh2.ParsedKey).getPublicSSH();
  const own: SshServer = {
    target: {
      kind: 'ssh',
      url: `ssh://backup@127.0.0.1:${(server.address() as AddressInfo).port}`,
      privateKey: clientKey.privateKey,
      hostKeySha256: `SHA256:${createHash('sha256').update(hostKeyData).digest('base64').replace(/=+$/, '')}`,
      backoffMs: 1,
    },
    folder,
    night: 'well',
    close() {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return own;
}

// biome-ignore lint/suspicious/noExplicitAny: the library's type of a served sftp session has no name of its own
function serve(own: SshServer, client: ssh2.Connection, sftp: any): void {
  const files: Awaited<ReturnType<typeof open>>[] = [];
  client.on('close', () => {
    for (const file of files) file.close().catch(() => {});
  });
  const folders = new Map<number, string[] | null>();
  const at = (name: string) => join(own.folder, name);
  const failed = (id: number, error: NodeJS.ErrnoException) =>
    sftp.status(id, error.code === 'ENOENT' ? STATUS_CODE.NO_SUCH_FILE : STATUS_CODE.FAILURE);
  const answer = (id: number, work: Promise<unknown>) =>
    work.then(
      () => sftp.status(id, STATUS_CODE.OK),
      (error) => failed(id, error),
    );
  const attrs = ({ size, mode, uid, gid }: Awaited<ReturnType<typeof stat>>) => ({
    size: Number(size),
    mode: Number(mode),
    uid: Number(uid),
    gid: Number(gid),
    atime: 0,
    mtime: 0,
  });
  sftp.on('OPEN', async (id: number, name: string, flags: number) => {
    try {
      const mode = flags & ssh2.utils.sftp.OPEN_MODE.WRITE ? 'w' : 'r';
      sftp.handle(id, Buffer.from([files.push(await open(at(name), mode)) - 1]));
    } catch (error) {
      failed(id, error as NodeJS.ErrnoException);
    }
  });
  sftp.on('READ', async (id: number, handle: Buffer, offset: number, length: number) => {
    const { bytesRead, buffer } = await files[handle[0]!]!.read(Buffer.alloc(length), 0, length, offset);
    if (bytesRead === 0) sftp.status(id, STATUS_CODE.EOF);
    else sftp.data(id, buffer.subarray(0, bytesRead));
  });
  sftp.on('WRITE', (id: number, handle: Buffer, offset: number, data: Buffer) => {
    if (own.night === 'is silent') return;
    if (own.night === 'cuts') return client.end();
    if (own.night === 'is full') return sftp.status(id, STATUS_CODE.FAILURE);
    const kept = own.night === 'stores half' ? data.subarray(0, data.length >> 1) : data;
    answer(id, files[handle[0]!]!.write(kept, 0, kept.length, offset));
  });
  for (const quiet of ['FSETSTAT', 'SETSTAT']) sftp.on(quiet, (id: number) => answer(id, Promise.resolve()));
  sftp.on('CLOSE', (id: number, handle: Buffer) =>
    folders.delete(handle[0]!) ? sftp.status(id, STATUS_CODE.OK) : answer(id, files[handle[0]!]!.close()),
  );
  for (const asked of ['STAT', 'LSTAT'])
    sftp.on(asked, (id: number, name: string) =>
      stat(at(name)).then(
        (found) => sftp.attrs(id, attrs(found)),
        (error) => failed(id, error),
      ),
    );
  sftp.on('FSTAT', async (id: number, handle: Buffer) =>
    sftp.attrs(id, attrs(await files[handle[0]!]!.stat())),
  );
  sftp.on('OPENDIR', async (id: number, name: string) => {
    const names = await readdir(at(name)).catch((error) => void failed(id, error));
    if (!names) return;
    const handle = 255 - folders.size;
    folders.set(handle, names);
    sftp.handle(id, Buffer.from([handle]));
  });
  sftp.on('READDIR', async (id: number, handle: Buffer) => {
    const names = folders.get(handle[0]!);
    if (!names) return sftp.status(id, STATUS_CODE.EOF);
    folders.set(handle[0]!, null);
    const entries = await Promise.all(
      names.map(async (filename) => ({
        filename,
        longname: filename,
        attrs: attrs(await stat(at(filename))),
      })),
    );
    sftp.name(id, entries);
  });
  sftp.on('REMOVE', (id: number, name: string) =>
    own.night === 'removes nothing'
      ? sftp.status(id, STATUS_CODE.PERMISSION_DENIED)
      : answer(id, unlink(at(name))),
  );
  sftp.on('RENAME', (id: number, from: string, to: string) => answer(id, rename(at(from), at(to))));
}
