// What is asked of a server over ssh: of one of another processor by scripts/ship, and with limits and lost lines by
// scripts/upgrade. ssh and docker are stood in for: what matters is how they would be called.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const scripts = fileURLToPath(new URL('../../scripts/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'marketing-ship-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** This machine has amd64 images of everything; building and pulling for another one is noted, and does not work. */
function ship(machine: string, image: string) {
  const asked = join(folder, 'asked');
  writeFileSync(asked, '');
  writeFileSync(
    join(folder, 'ssh'),
    `#!/bin/sh\ncase "$*" in *'uname -m'*) echo ${machine} ;; *) exit 7 ;; esac\n`,
    { mode: 0o755 },
  );
  writeFileSync(
    join(folder, 'docker'),
    `#!/bin/sh
case "$*" in
  'image inspect --format {{.Architecture}} '*) echo amd64 ;;
  'image inspect'*) echo id ;;
  *) echo "$DOCKER_DEFAULT_PLATFORM $IMAGE $*" >>'${asked}' ;;
esac\n`,
    { mode: 0o755 },
  );
  const { status, stderr } = spawnSync(join(scripts, 'ship'), ['root@server', image], {
    encoding: 'utf8',
    env: { PATH: `${folder}:${process.env.PATH}` },
  });
  return { status, stderr, asked: readFileSync(asked, 'utf8') };
}

test('ship builds this repository’s own image for the processor of the server, and says when that was not done', () => {
  const { status, stderr, asked } = ship('aarch64', 'marketing-api:dev');
  assert.equal(status, 1);
  assert.equal(asked, 'linux/arm64 marketing-api:dev compose --progress quiet build api\n');
  assert.match(stderr, /marketing-api:dev is for linux\/amd64, and the server needs linux\/arm64/);
});

test('ship pulls an image of a registry for the processor of the server', () => {
  const { asked } = ship('arm64', 'registry.example.com/marketing-api:1.2.3');
  assert.equal(asked.trim(), 'pull --quiet --platform linux/arm64 registry.example.com/marketing-api:1.2.3');
});

test('ship takes what is here for the right processor as it is, and knows no processor but those of the releases', () => {
  // as far as what would be sent
  assert.match(
    ship('x86_64', 'marketing-api:dev').asked,
    /^ *save marketing-api:dev postgres:18 caddy:2-alpine\n$/,
  );
  const { status, stderr } = ship('riscv64', 'marketing-api:dev');
  assert.equal(status, 1);
  assert.match(stderr, /processor is riscv64/);
});

/** scripts/upgrade of a server, where this is what ssh does. */
function upgrade(ssh: string, settings: Record<string, string> = {}) {
  writeFileSync(join(folder, 'ssh'), `#!/bin/sh\n${ssh}\n`, { mode: 0o755 });
  return spawnSync(join(scripts, 'upgrade'), ['root@server', 'marketing-api:new'], {
    encoding: 'utf8',
    env: { PATH: `${folder}:${process.env.PATH}`, ...settings },
  });
}

test('a server is told the time limits that its caller set', () => {
  const ssh = 'printf "%s\\n" "$@"';
  assert.match(
    upgrade(ssh, { UPGRADE_TIMEOUT: '45' }).stdout,
    /env UPGRADE_TIMEOUT=45 \/opt\/marketing\/scripts\/upgrade marketing-api:new/,
  );
  assert.doesNotMatch(upgrade(ssh).stdout, /TIMEOUT=/);
});

test('whoever loses the line to a server is told how to come back to what goes on there', () => {
  const { status, stderr } = upgrade('exit 255');
  assert.equal(status, 255);
  assert.match(stderr, /scripts\/upgrade root@server --follow/);
});
