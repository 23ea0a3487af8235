// From a target of the settings to the place it names.
import { s3Shelf } from './s3.ts';
import { sshShelf } from './ssh.ts';
import { type Offsite, patiently, type Shelf } from './target.ts';

export const shelfOf = (target: Offsite, signal?: AbortSignal): Shelf =>
  target.kind === 's3' ? s3Shelf(target, signal) : sshShelf(target, signal);

/** Each verb is tried again by itself. */
export function patientShelf(target: Offsite, signal?: AbortSignal): Shelf {
  const shelf = shelfOf(target, signal);
  const again = <T>(work: () => Promise<T>) => patiently(target, work, signal);
  return {
    list: () => again(() => shelf.list()),
    put: (file) => again(() => shelf.put(file)),
    get: (name, to) => again(() => shelf.get(name, to)),
    remove: (name) => again(() => shelf.remove(name)),
    tidy: async (before) => shelf.tidy?.(before),
    close: () => shelf.close(),
  };
}
