// Who of a site's visitors is its own people: addresses that its owner lists, and networks that marked themselves by the
// site's link. Their visits are kept apart, like a robot's.
import { isIP } from 'node:net';
import type { Client } from '../../ground/http/client.ts';
import { type Networks, networksOf } from '../../ground/lib/networks.ts';
import type { Site } from '../../ground/site.ts';

/** A network that marked itself: a keyed hash of its address (an IPv4 address or an IPv6 /64), and until when. */
export type StaffMark = { network: string; until: string };

interface Staff {
  addresses: Networks | null;
  marks: Map<string, number>;
}

/** An address, or a range such as 203.0.113.0/24. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32));
}

export const marksOf = ({ settings }: Site): StaffMark[] =>
  Array.isArray(settings.staffMarks) ? (settings.staffMarks as StaffMark[]) : [];

const known = new WeakMap<Site, Staff | null>();

/** Worked out once a site, as every event asks; null: it knows of nobody. */
function staffOf(site: Site): Staff | null {
  let staff = known.get(site);
  if (staff === undefined) {
    const { staffAddresses } = site.settings;
    const addresses = Array.isArray(staffAddresses) ? (staffAddresses as string[]) : [];
    const marks = new Map(marksOf(site).map(({ network, until }) => [network, Date.parse(until)]));
    staff =
      addresses.length + marks.size > 0
        ? { addresses: addresses.length > 0 ? networksOf(addresses.filter(isNetwork)) : null, marks }
        : null;
    known.set(site, staff);
  }
  return staff;
}

/** Whether this client is one of the site's own people, as far as its address tells. */
export function isStaff(site: Site, client: Pick<Client, 'address' | 'limitKey'>, nowMs: number): boolean {
  const staff = staffOf(site);
  if (!staff) return false;
  if ((staff.marks.get(client.limitKey) ?? 0) > nowMs) return true;
  return staff.addresses?.has(client.address) ?? false;
}
