// Whether an address lies in one of some networks. Each family has a list of its own: Node compares an IPv4 address with the
// IPv6 ranges of a list too, as ::ffff:a.b.c.d, so that one entry for such addresses would hold all of IPv4.
import { BlockList, isIP } from 'node:net';

export interface Networks {
  /** false of what is no address. */
  has(address: string): boolean;
}

/** networks  addresses, or ranges such as 203.0.113.0/24 and fc00::/7 */
export function networksOf(networks: readonly string[]): Networks {
  const lists = { 4: new BlockList(), 6: new BlockList() };
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 6 : 4;
    const type = family === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) lists[family].addAddress(address, type);
    else lists[family].addSubnet(address, Number(bits), type);
  }
  return {
    has(address) {
      const family = isIP(address);
      if (family === 0) return false;
      return family === 6 ? lists[6].check(address, 'ipv6') : lists[4].check(address, 'ipv4');
    },
  };
}
