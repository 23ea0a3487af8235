// The log: JSON lines on standard output, one for each request (of events that are taken: each batch), job run and delivery; never an address, a name or a key.
import { pino } from 'pino';

export type Log = pino.Logger;

/** level: trace … fatal, or silent (tests). destination: standard output unless given */
export function makeLog(level: string, destination: pino.DestinationStream = standardOutput()): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: {
        // A database error's detail and parameters quote the row, and rows hold addresses: only what names the fault is
        // kept. Of class 22 (a value that a type cannot take) the message itself quotes the value.
        err: (error: Error & { code?: string; constraint?: string; table?: string }) => {
          const quotes = /^22[0-9A-Z]{3}$/.test(error.code ?? '');
          const message = quotes ? 'the database cannot take a value' : error.message;
          return {
            type: error.name,
            message,
            code: error.code,
            constraint: error.constraint,
            table: error.table,
            stack: quotes ? error.stack?.replace(error.message, message) : error.stack,
          };
        },
      },
    },
    destination,
  );
}

function standardOutput(): pino.DestinationStream {
  // Lines are written together, some twenty at a time and at least twice a second: a system call a request cost 5 % of
  // the CPU, handing each piece to another thread as much again. No more than twenty: each line copies those that wait.
  const destination = pino.destination({ dest: 1, sync: true, minLength: 4096, periodicFlush: 500 });
  process.once('exit', () => {
    try {
      destination.flushSync();
    } catch {
      // not opened yet, or the reader has gone
    }
  });
  return destination;
}
