// Questions that are known by their hash: those of graphql-queries.json in DATA_DIR, a list of texts. Read once.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../ground/lib/app-error.ts';

export type KnownQuestions = ReadonlyMap<string, string>;

const FILE = 'graphql-queries.json';
const texts = z.array(z.string().min(1)).max(1000);

/** By the SHA-256 of each, in hex; none where there is no file. throws  unavailable, when it cannot be read */
export async function readKnown(folder: string): Promise<KnownQuestions> {
  let text: string;
  try {
    text = await readFile(join(folder, FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw unreadable(error);
  }
  try {
    const known = texts.parse(JSON.parse(text));
    return new Map(known.map((one) => [createHash('sha256').update(one).digest('hex'), one]));
  } catch (error) {
    throw unreadable(error);
  }
}

const unreadable = (cause: unknown) =>
  new AppError(
    'unavailable',
    `${FILE} of this installation is no list of questions. Its operator mends it.`,
    {
      cause,
    },
  );
