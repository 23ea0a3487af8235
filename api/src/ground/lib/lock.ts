// One process at a time: a lock on a file that the system holds for us, and lets go when we end, however we end.

export interface Lock {
  release(): void;
}

const SQLITE_BUSY = 5;

/**
 * Node knows no flock(), but the SQLite inside it locks files by the system's own means. So nothing is left behind by
 * a kill, no process id is kept that another may have by now, and two containers on one volume see each other.
 * path     an empty file, made if absent; it stays, since removing it would let two in
 * returns  null while another holds it, in this process or another
 */
export async function takeLock(path: string): Promise<Lock | null> {
  const { DatabaseSync } = await import('node:sqlite');
  const file = new DatabaseSync(path);
  try {
    file.exec('begin exclusive');
    return { release: () => file.close() };
  } catch (error) {
    file.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null;
    throw error;
  }
}
