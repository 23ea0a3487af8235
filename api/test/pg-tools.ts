// Stands in for pg_dump and pg_restore, which are not beside the embedded server: says the server's version, notes how it was
// called, and writes a dump that is none.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from '../src/ground/db/pool.ts';

/** folder  for BACKUP_PG_BIN; made if absent. How a tool was called stands in TOOL.called there, a word a line */
export async function standInTools(folder: string, db: Pool): Promise<void> {
  const { rows } = await db.query('show server_version');
  mkdirSync(folder, { recursive: true });
  for (const tool of ['pg_dump', 'pg_restore'])
    writeFileSync(
      join(folder, tool),
      `#!/bin/sh
case "$1" in --version) echo "${tool} (PostgreSQL) ${rows[0].server_version}"; exit 0;; esac
printf '%s\\n' "$@" >> ${folder}/${tool}.called
for argument in "$@"; do case "$argument" in --file=/dev/null) ;; --file=*) echo dump > "\${argument#--file=}";; esac; done
`,
      { mode: 0o755 },
    );
}
