// A hot standby of a test's own cluster, streaming over loopback. The packages of the embedded server have no pg_basebackup, so
// it is made as that does it: the files are copied between pg_backup_start and pg_backup_stop.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { type EmbeddedPostgres, embeddedPostgres } from '../../src/ground/db/embedded.ts';

const PASSWORD = 'test';

/** settings: what the cluster itself was started with */
export async function startStandby(
  cluster: EmbeddedPostgres,
  settings: Record<string, string> = { max_connections: '150' },
): Promise<EmbeddedPostgres & { ask(sql: string): Promise<void>; remove(): Promise<void> }> {
  const source = join(dirname(cluster.logFile), 'pgdata');
  const folder = mkdtempSync(join(tmpdir(), 'marketing-standby-'));
  const pgdata = join(folder, 'db', 'pgdata');
  execFileSync('mkdir', ['-p', dirname(pgdata)]);
  const client = new pg.Client(cluster.url());
  await client.connect();
  await client.query("select pg_backup_start('standby', true)");
  // a file that went away meanwhile is no fault: what became of it is in the write-ahead log
  spawnSync('cp', ['-a', source, pgdata]);
  const { rows } = await client.query('select labelfile from pg_backup_stop(false)');
  await client.end();
  rmSync(join(pgdata, 'postmaster.pid'), { force: true });
  writeFileSync(join(pgdata, 'backup_label'), rows[0].labelfile);
  writeFileSync(join(pgdata, 'standby.signal'), '');
  const { uid, gid } = statSync(source);
  execFileSync('chown', ['-R', `${uid}:${gid}`, pgdata]);
  const server = await embeddedPostgres({
    dataDir: join(folder, 'db'),
    password: PASSWORD,
    settings: {
      ...settings,
      primary_conninfo: `host=127.0.0.1 port=${cluster.port} user=postgres password=${PASSWORD}`,
      // a standby whose primary is not back yet looks for it again soon
      wal_retrieve_retry_interval: '200ms',
    },
  });
  await server.start();
  return {
    ...server,
    async ask(sql) {
      const its = new pg.Client(server.url());
      await its.connect();
      await its.query(sql);
      await its.end();
    },
    async remove() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
