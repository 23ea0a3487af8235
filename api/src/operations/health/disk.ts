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

export interface DiskWatch {
  /** The fullest of the watched disks at the last look; null before the first, or where none can be read. */
  fullest(): DiskUse | null;
  /** Whether events have to wait until there is room; people (leads, unsubscribe, erasure) never do. */
  isShort: boolean;
  look(): Promise<void>;
  close(): void;
}

const LOOK_EVERY_MS = 5000;
// Once refused, events come back only when there is really room, so that the answer doesn't flap.
const EVENTS_AGAIN_PCT = DISK_NO_EVENTS_PCT - 2;

/** Looks every five seconds: a statfs costs microseconds, and a flood of events fills a percent in minutes, not seconds. */
export function watchDisk(paths: string[]): DiskWatch {
  let seen: DiskUse | null = null;
  const watch: DiskWatch = {
    fullest: () => seen,
    isShort: false,
    async look() {
      seen = await fullestDisk(paths);
      if (seen) watch.isShort = seen.usedPct >= (watch.isShort ? EVENTS_AGAIN_PCT : DISK_NO_EVENTS_PCT);
    },
    close: () => clearInterval(timer),
  };
  const timer = setInterval(() => void watch.look(), LOOK_EVERY_MS).unref();
  return watch;
}
