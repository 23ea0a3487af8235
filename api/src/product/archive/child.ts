// One task of the archive, in a process of its own with a bounded heap (in-child.ts); what it was told by message, nobody else sees.
import { makePool } from '../../ground/db/pool.ts';
import { makeLog } from '../../ground/lib/log.ts';
import { type S3Target, wordsOf } from '../../ground/shelf/target.ts';
import { type Done, perform, type Task } from './tasks.ts';

export interface Asked {
  /** Of the role the API serves as. */
  url: string;
  target: S3Target;
  folder: string;
  task: Task;
}
/** fault: in words for the operator. peakMb: the most memory it had */
export type Told = { done: Done[Task['do']]; peakMb: number } | { fault: string };

async function told({ url, target, folder, task }: Asked): Promise<Told> {
  const db = makePool(url, {
    name: 'archive',
    connectionsMax: 1,
    statementTimeoutMs: 600_000,
    log: makeLog('silent'),
  });
  try {
    const done = await perform({ db, target, folder }, task);
    return { done, peakMb: Math.round(process.resourceUsage().maxRSS / 1024) };
  } catch (error) {
    return { fault: wordsOf(error) };
  } finally {
    await db.end().catch(() => {});
  }
}

// whoever asked has gone: nobody would list what came of it
process.on('disconnect', () => process.exit(1));
process.once('message', async (asked: Asked) => {
  const answer = await told(asked);
  process.send!(answer, () => process.exit(0));
});
