// What the machine says about itself: the memory of the container, and the certificate.
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:tls';

const read = (path: string) => readFile(path, 'utf8').catch(() => null);

/** Memory of this container in percent of its limit, page cache aside; null without a limit. */
export async function memoryUsedPct(root = '/sys/fs/cgroup'): Promise<number | null> {
  const v2 = await read(`${root}/memory.max`);
  const [limit, used, stat] = v2
    ? [v2, await read(`${root}/memory.current`), await read(`${root}/memory.stat`)]
    : [
        await read(`${root}/memory/memory.limit_in_bytes`),
        await read(`${root}/memory/memory.usage_in_bytes`),
        await read(`${root}/memory/memory.stat`),
      ];
  const max = Number(limit);
  // "max" and version 1's huge default both mean: no limit
  if (!limit || !used || !Number.isFinite(max) || max > 2 ** 50) return null;
  const cache = Number(/^(?:total_)?inactive_file (\d+)/m.exec(stat ?? '')?.[1] ?? 0);
  return Math.round(((Number(used) - cache) / max) * 1000) / 10;
}

/** Days until the certificate of a name ends, asked of our own Caddy; null when it can't be seen. */
export function certificateDays(host: string, port: number, name: string): Promise<number | null> {
  return new Promise((resolve) => {
    // Only its dates are of interest here; whether browsers trust it is ACME's business.
    const socket = connect({ host, port, servername: name, rejectUnauthorized: false, timeout: 5000 }, () => {
      const ends = Date.parse(socket.getPeerCertificate().valid_to);
      socket.destroy();
      resolve(Number.isFinite(ends) ? (ends - Date.now()) / 86_400_000 : null);
    });
    const give = () => {
      socket.destroy();
      resolve(null);
    };
    socket.once('error', give).once('timeout', give);
  });
}

/** Where a name points to, as this machine hears it; null when it is not known at all, or nobody could be asked. */
export const addressesOf = (name: string): Promise<string[] | null> =>
  lookup(name, { all: true }).then(
    (found) => found.map(({ address }) => address),
    () => null,
  );
