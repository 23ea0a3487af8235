// How full the disks are, and what that still allows.
import { statfs } from 'node:fs/promises';

/** Shares of a disk in use, in percent: a warning; no more local dumps; events are refused, people still served. */
export const DISK_WARN_PCT = 75;
export const DISK_NO_DUMPS_PCT = 85;
export const DISK_NO_EVENTS_PCT = 90;

export interface DiskUse {
  path: string;
  usedPct: number;
  freeBytes: number;
  totalBytes: number;
}

/** As df shows it: of what an ordinary process may use. null when the path is not there. */
export async function diskUse(path: string): Promise<DiskUse | null> {
  try {
    const { bsize, blocks, bfree, bavail } = await statfs(path);
    const used = (blocks - bfree) * bsize;
    const freeBytes = bavail * bsize;
    const totalBytes = used + freeBytes;
    return {
      path,
      usedPct: totalBytes === 0 ? 0 : Math.round((used / totalBytes) * 1000) / 10,
      freeBytes,
      totalBytes,
    };
  } catch {
    return null;
  }
}

/** The fullest of several disks; null when none can be read. */
export async function fullestDisk(paths: string[]): Promise<DiskUse | null> {
  const all = (await Promise.all(paths.map(diskUse))).filter((use) => use !== null);
  return all.sort((a, b) => b.usedPct - a.usedPct)[0] ?? null;
}
