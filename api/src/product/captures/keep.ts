// Stores what people sent, or keeps it on disk until it can be stored: nobody is turned away because the database is.
import { isDataFault } from '../../ground/db/faults.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Journal } from './journal.ts';

/**
 * body     what the journal keeps, and what store() is called with again when the journal is played
 * store    must be safe to do twice
 * returns  what store() answered, or 'journalled'
 * throws   what store() threw, when this can never be stored; unavailable, when the disk could not take it either
 */
export type Keep = <Body, Stored>(
  kind: string,
  body: Body,
  store: (body: Body) => Promise<Stored>,
  requestId?: string,
) => Promise<Stored | 'journalled'>;

export function makeKeep(journal: Pick<Journal, 'append'>, log: Log): Keep {
  return async (kind, body, store, requestId) => {
    try {
      return await store(body);
    } catch (error) {
      if (isDataFault(error)) throw error;
      log.warn({ err: error, requestId }, `a ${kind} could not be stored; it goes to the journal`);
      await journal.append({ kind, body }).catch((cause) => {
        throw new AppError(
          'unavailable',
          'We cannot store anything at the moment. Nothing was kept; try again in a minute.',
          { retryAfterSeconds: 60, cause },
        );
      });
      return 'journalled';
    }
  };
}
