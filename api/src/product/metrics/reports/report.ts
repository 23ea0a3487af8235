// A report is a value: what may be asked, what it answers, how it is read, and the answer as a table.
import type { z } from 'zod';
import type { Db } from '../../../ground/db/pool.ts';
import type { Caller } from '../../../ground/http/caller.ts';
import type { Site } from '../../../ground/site.ts';
import type { Selection } from '../../segments/filters.ts';

export type Row = Record<string, unknown>;

// biome-ignore lint/suspicious/noExplicitAny: a list holds reports of every query; each is checked where it is made
export interface Report<Query = any, Answer extends object = any> {
  /** Last part of its path. */
  name: string;
  /** Its path and operation id where it is one site's own; the site is that of the path. */
  at?: `GET /v1/sites/:siteId/${string}`;
  id?: string;
  says: string;
  query: z.ZodType<Query>;
  answer: z.ZodType<Answer>;
  /** db: inside inSites of this site. */
  read(db: Db, site: Site, query: Query, facts: Facts): Promise<NoInfer<Answer>>;
  rows(answer: NoInfer<Answer>): Row[];
  /** Its answer for who may not see money. Absent: it holds none. throws  forbidden, when nothing would be left */
  withoutMoney?(answer: NoInfer<Answer>): NoInfer<Answer>;
  /**
   * What of its answer is each caller's own: read anew every time and put beside what is kept. Its names stand in no `answer`;
   * a table has none of it.
   */
  beside?: {
    /** The whole answer, with these. */
    answer: z.ZodType;
    /** db: as for `read`, of the primary: who wrote something sees it at once. */
    read(db: Db, site: Site, query: Query, caller: Caller): Promise<Row>;
  };
  /** false: the clock changes it, not a rollup. Default true. */
  cached?: boolean;
  /** Shows leads, so that each look is noted. Default: nobody. */
  showsLeads?: boolean;
  /** The limit it has for itself. Default: that of all routes. */
  bucket?: 'summary';
  /** Its answer for who may know of those visits alone: without what it says of all. Absent: it says nothing of all. */
  ofSelectionAlone?(answer: NoInfer<Answer>): NoInfer<Answer>;
  /** Can be asked of some visits only: `selection` of its facts. */
  selects?: true;
}

export interface Facts {
  /** For how long events are kept. */
  retentionDays: number;
  /** Whether this machine can tell a country from an address. */
  countriesKnown: boolean;
  /** Which visits are asked for; of a report that `selects`. Default: all. */
  selection?: Selection;
}

/** For inference: Query and Answer are what the two shapes make. */
export const report = <Query, Answer extends object>(value: Report<Query, Answer>): Report<Query, Answer> =>
  value;
