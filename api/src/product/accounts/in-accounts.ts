// The transaction in which the tables of keys and people can be seen; row level security shows them in no other.
import type pg from 'pg';
import type { Pool } from '../../ground/db/pool.ts';
import { transaction } from '../../ground/db/transaction.ts';

/** Runs work inside it; commits when work resolves. Only files of accounts and keys call this (a test holds it). */
export const inAccounts = <T>(pool: Pool, work: (db: pg.PoolClient) => Promise<T>): Promise<T> =>
  transaction(pool, work, "begin; set local marketing.accounts = 'on'");
