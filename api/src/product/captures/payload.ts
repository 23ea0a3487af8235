// Bounds what a form's payload may hold: whatever was typed is taken, what is too long is cut and says so. Pure.
import type { Issue } from '../../ground/lib/app-error.ts';
import { cutBytes } from '../../ground/lib/text.ts';

const TEXT_BYTES_MAX = 8 * 1024;
const TOGETHER_BYTES_MAX = 14 * 1024;
const DEPTH_MAX = 8;

/** In the payload itself: the paths of the texts that were cut. */
export const CUT_MARK = '_cut';

/** returns a copy; its warnings name what was cut */
export function boundPayload(payload: Record<string, unknown>): {
  payload: Record<string, unknown>;
  warnings: Issue[];
} {
  let left = TOGETHER_BYTES_MAX;
  const cut: string[] = [];
  const text = (whole: string, path: string): string => {
    const kept = cutBytes(whole, Math.min(TEXT_BYTES_MAX, left));
    left -= Buffer.byteLength(kept);
    if (kept !== whole) cut.push(path);
    return kept;
  };
  const walk = (part: unknown, path: string, depth: number): unknown => {
    if (typeof part === 'string') return text(part, path);
    if (typeof part !== 'object' || part === null) return part;
    if (depth > DEPTH_MAX) return text(JSON.stringify(part), path); // kept, as the text it was
    const inner = (entry: unknown, key: string | number) =>
      walk(entry, path ? `${path}.${key}` : String(key), depth + 1);
    if (Array.isArray(part)) return part.map(inner);
    return Object.fromEntries(Object.entries(part).map(([key, entry]) => [key, inner(entry, key)]));
  };
  const bounded = walk(payload, '', 1) as Record<string, unknown>;
  if (cut.length > 0) bounded[CUT_MARK] = cut;
  return {
    payload: bounded,
    warnings: cut.map((path) => ({ path: `payload.${path}`, message: 'cut: the text is too long' })),
  };
}
