// Who may write and change which note.
import type { Caller } from '../../ground/http/caller.ts';
import type { Note } from './schema.ts';

const OWN_OF_MACHINE: readonly Note['kind'][] = ['upgrade', 'outage', 'recount', 'import', 'restore'];

/**
 * What is one person's alone is theirs to handle; what the site shares, that of people who tell it more than they read, and of
 * programs. A program that does not even read the numbers says what it deployed, and nothing else.
 */
export function mayHandle(
  { person, may }: Pick<Caller, 'person' | 'may'>,
  siteId: string,
  note: { kind: Note['kind']; userId: string | null },
): boolean {
  if (OWN_OF_MACHINE.includes(note.kind) || !may('notes', siteId)) return false;
  if (note.userId !== null) return person?.userId === note.userId;
  if (person) return may('spend', siteId);
  return note.kind === 'deploy' || may('numbers', siteId);
}
