// From a target of the settings to the place it names.
import { s3Shelf } from './s3.ts';
import { sshShelf } from './ssh.ts';
import type { Offsite, Shelf } from './target.ts';

export const shelfOf = (target: Offsite, signal?: AbortSignal): Shelf =>
  target.kind === 's3' ? s3Shelf(target, signal) : sshShelf(target, signal);
