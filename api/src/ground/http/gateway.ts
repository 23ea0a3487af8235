// The addresses of the way out of here: where something on this machine stands in front of clients, they all seem to be it.
import { readFileSync } from 'node:fs';

/** Four bytes of /proc/net/route, the least significant first. */
const ipv4 = (hex: string): string =>
  (hex.match(/../g) ?? [])
    .reverse()
    .map((byte) => Number.parseInt(byte, 16))
    .join('.');
/** Sixteen bytes of /proc/net/ipv6_route, as it is written short. */
const ipv6 = (hex: string): string =>
  new URL(`http://[${(hex.match(/.{4}/g) ?? []).join(':')}]/`).hostname.slice(1, -1);

/** The gateways of default routes, from the text of /proc/net/route and /proc/net/ipv6_route. */
export function gatewaysIn(routes: string, routes6: string): string[] {
  const found = [
    ...routes
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, to, via, , , , , mask]) => to === '00000000' && mask === '00000000' && via !== '00000000')
      .map(([, , via]) => ipv4(via!)),
    ...routes6
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(
        ([to, bits, , , via]) =>
          /^0{32}$/.test(to ?? '') && bits === '00' && !/^0{32}$/.test(via ?? '0'.repeat(32)),
      )
      .map(([, , , , via]) => ipv6(via!)),
  ];
  return [...new Set(found)];
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // no Linux
  }
}

export const ownGateways = (): string[] => gatewaysIn(read('/proc/net/route'), read('/proc/net/ipv6_route'));
