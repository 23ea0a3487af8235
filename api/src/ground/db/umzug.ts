// A process of its own (in-order.ts starts it): tells the names of missing migrations one after the other, and waits for each.
import { once } from 'node:events';
import { Umzug } from 'umzug';

export interface Asked {
  names: readonly string[];
  applied: readonly string[];
}
export interface Told {
  next: string;
}

if (process.send) {
  const [{ names, applied }] = (await once(process, 'message')) as [Asked];
  const umzug = new Umzug({
    migrations: names.map((name) => ({
      name,
      async up() {
        process.send!({ next: name } satisfies Told);
        await once(process, 'message');
      },
    })),
    storage: {
      executed: async () => [...applied],
      logMigration: async () => {}, // whoever runs them notes them
      unlogMigration: async () => {},
    },
    logger: undefined,
  });
  await umzug.up();
  process.disconnect();
}
