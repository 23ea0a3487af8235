// What went wrong with the database, told by its code: names for SQLSTATEs, what is worth another try, and the trying.

/** SQLSTATEs that code here decides by. */
export const SQLSTATE = {
  uniqueViolation: '23505',
  foreignKeyViolation: '23503',
  /** A check that failed; also what a row without a partition gets. */
  checkViolation: '23514',
  readOnlyTransaction: '25006',
  invalidAuthorization: '28000',
  invalidPassword: '28P01',
  serializationFailure: '40001',
  deadlock: '40P01',
  /** What one statement may take, such as temp_file_limit. */
  limitExceeded: '53400',
  insufficientPrivilege: '42501',
  lockNotAvailable: '55P03',
  queryCanceled: '57014',
} as const;

/** The SQLSTATE or the system's code of whatever was thrown; '' where it has none. */
export function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

// 08: connection; 53: out of memory, disk or connections; 57P: stopped, starting, crashed. A server that only reads is a
// standby in the place of ours.
const AWAY_STATES = new RegExp(`^(08...|53...|57P..|${SQLSTATE.readOnlyTransaction})$`);

// A connection that broke, or could not be made. The name of a stopped container is unknown (ENOTFOUND), not refused.
const AWAY_CODES = new Set([
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'EAI_FAIL',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETRESET',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

// Whatever these say (a socket's file that is gone, no port left, no file handle left): we did not get through.
const REACHING = new Set(['connect', 'getaddrinfo']);

// node-postgres gives these no code; their text is all there is.
const AWAY_WORDS =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired$|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/;

/**
 * Whether the database was not there, as opposed to having refused what it was asked. Only for what a statement or a
 * connection of ours threw: a client that goes away in the middle of its request breaks a socket too (http/body.ts
 * makes an AppError of that, so that it never comes here).
 */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // every address of a name was tried in vain
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.every((each) => isDatabaseAway(each));
  const code = codeOf(error);
  if (code === '') return AWAY_WORDS.test(error.message);
  const { syscall } = error as NodeJS.ErrnoException;
  return AWAY_STATES.test(code) || AWAY_CODES.has(code) || REACHING.has(syscall ?? '');
}

/** Whether the server was there and said nothing for longer than any statement may take. */
export const isStandingStill = (error: unknown): boolean =>
  error instanceof Error && error.message === 'Query read timeout';

/** Whether a statement ran into its own time limit, and was rolled back. */
export const isTooSlow = (error: unknown): boolean =>
  codeOf(error) === SQLSTATE.queryCanceled || codeOf(error) === SQLSTATE.lockNotAvailable;

const isCollision = (error: unknown): boolean =>
  codeOf(error) === SQLSTATE.deadlock || codeOf(error) === SQLSTATE.serializationFailure;

/** Whether trying again later makes sense: the database is away, overloaded, or stuck. */
export const isPassing = (error: unknown): boolean =>
  isDatabaseAway(error) || isTooSlow(error) || isCollision(error);

/** Whether what was to be stored cannot be, ever. Class 22: a type cannot hold it; class 23: a constraint forbids it. */
export const isDataFault = (error: unknown): boolean => /^2[23]...$/.test(codeOf(error));

/** Whether the server knows neither this name nor this password. */
export const isRefusedLogin = (error: unknown): boolean =>
  codeOf(error) === SQLSTATE.invalidPassword || codeOf(error) === SQLSTATE.invalidAuthorization;

export const isUniqueViolation = (error: unknown): boolean => codeOf(error) === SQLSTATE.uniqueViolation;

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/**
 * Runs work again after a collision with another transaction (three times), a row without a partition (once, when told
 * how to make it), a row that went away under it (once) or a lost connection (once). So work must be whole: a transaction, or one statement.
 * makePartition  the job that makes them ahead did not run
 */
export async function withRetries<T>(
  work: () => Promise<T>,
  makePartition?: () => Promise<unknown>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt <= 3 && isCollision(error)) await pause(Math.random() * 20 * attempt);
      else if (attempt === 1 && makePartition && codeOf(error) === SQLSTATE.checkViolation)
        await makePartition();
      else if (attempt === 1 && codeOf(error) === SQLSTATE.foreignKeyViolation) continue;
      else if (attempt === 1 && isDatabaseAway(error) && !isStandingStill(error)) await pause(50);
      else throw error;
    }
  }
}
