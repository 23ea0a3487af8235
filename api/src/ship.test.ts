// scripts/ship to a server of another processor. ssh and docker are stood in for: what matters is what they would be asked.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SHIP = fileURLToPath(new URL('../../scripts/ship', import.meta.url));
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
  const { status, stderr } = spawnSync(SHIP, ['root@server', image], {
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
