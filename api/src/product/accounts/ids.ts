// Ids that are known before their row is: what is sealed is bound to it.
import type { Db } from '../../ground/db/pool.ts';

export async function newId(db: Db): Promise<string> {
  return (await db.query<{ id: string }>('select uuidv7() as id')).rows[0]!.id;
}
