// Tries a place for copies with a small file: written, read back, listed, removed. What fails is said in words.
import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../ground/lib/durable.ts';
import { shelfOf } from '../../ground/shelf/shelf.ts';
import { nameOf, type Offsite, OffsiteFault, wordsOf } from '../../ground/shelf/target.ts';

export interface Step {
  does: string;
  /** null: not tried, because a step before it failed. */
  ok: boolean | null;
  message: string | null;
}

/** room: a folder of this machine for the small file. Nothing of it stays, here or there, where it may be removed. */
export async function checkOffsite(
  target: Offsite,
  room: string,
): Promise<{ target: string; steps: Step[] }> {
  const shelf = shelfOf(target);
  const name = `marketing-check-${randomBytes(6).toString('hex')}.txt`;
  const [out, back] = [join(room, name), join(room, `${name}.back`)];
  const text = `A trial of the place for copies; it may be removed. ${randomBytes(512).toString('hex')}\n`;
  await makeFolder(room);
  await writeFile(out, text, { mode: 0o600 });
  const steps: Step[] = [];
  const step = async (does: string, work: () => Promise<void>, needs: Step | null) => {
    const made: Step = { does, ok: null, message: null };
    steps.push(made);
    if (needs && !needs.ok) return made;
    try {
      await work();
      made.ok = true;
    } catch (error) {
      made.ok = false;
      made.message = wordsOf(error);
    }
    return made;
  };
  const listed = async () => (await shelf.list()).some((one) => one.name === name);
  try {
    const wrote = await step('write a small file', () => shelf.put(out), null);
    await step(
      'read it back',
      async () => {
        await shelf.get(name, back);
        if ((await readFile(back, 'utf8')) !== text) throw new OffsiteFault('it comes back changed');
      },
      wrote,
    );
    const saw = await step(
      'list what is there',
      async () => {
        if (!(await listed()) && wrote.ok) throw new OffsiteFault('the list does not show what was written');
      },
      null,
    );
    const removed = await step('remove it', () => shelf.remove(name), wrote);
    if (saw.ok && removed.ok)
      await step(
        'see that it is gone',
        async () => {
          if (await listed())
            throw new OffsiteFault(
              'it was taken as removed, and still lies there: is the place write-once, or does it keep versions?',
            );
        },
        removed,
      );
  } finally {
    shelf.close();
    for (const path of [out, back]) await rm(path, { force: true });
  }
  return { target: nameOf(target), steps };
}
