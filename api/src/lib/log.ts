// The log: JSON lines on standard output, one for each request, batch, job run and delivery; never an address, a name or a key.
import { pino } from 'pino';

export type Log = pino.Logger;

/** level: trace … fatal, or silent (tests). */
export function makeLog(level: string): Log {
  return pino({
    level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: {
      // A database error's detail and parameters quote the row, and rows hold addresses: only what names the fault is kept.
      err: (error: Error & { code?: string; constraint?: string; table?: string }) => ({
        type: error.name,
        message: error.message,
        code: error.code,
        constraint: error.constraint,
        table: error.table,
        stack: error.stack,
      }),
    },
  });
}
