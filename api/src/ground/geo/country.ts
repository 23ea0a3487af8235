// From an address to its country, from a file on this machine: nothing is asked outside, and the address goes no further.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { LRUCache } from 'lru-cache';
import { Reader, type Response } from 'mmdb-lib';

export type CountryOf = (address: string) => string | null;

/**
 * file     a MaxMind-format database (.mmdb) with `country_code`, or `country.iso_code` as GeoLite2 has it; it is held
 *          in memory as it is (a country database is 3 to 8 MB). undefined: off, nobody has a country.
 * returns  what answers two capital letters, or null; null where it is off
 * throws   when the file cannot be read or is no such database: a setting that does nothing would go unnoticed
 */
export function countryLookup(file: string | undefined): CountryOf | null {
  if (file === undefined) return null;
  let reader: Reader<Response>;
  try {
    reader = new Reader<Response>(readFileSync(file));
  } catch (cause) {
    throw new Error(
      `GEO_DATABASE: ${file} is not a readable .mmdb file. Correct the path, or leave it out.`,
      {
        cause,
      },
    );
  }
  // Only as long as a visit's requests come: addresses are not kept.
  const known = new LRUCache<string, { code: string | null }>({ max: 1000, ttl: 60_000 });
  return (address) => {
    const hit = known.get(address);
    if (hit) return hit.code;
    let code: string | null = null;
    try {
      const family = isIP(address);
      // mmdb-lib would read an IPv6 address's first bits as an IPv4 one's in a file that holds only those
      if (family === 0 || (family === 6 && reader.metadata.ipVersion === 4)) return null;
      const found = reader.get(address) as unknown as {
        country_code?: unknown;
        country?: { iso_code?: unknown };
      } | null;
      const said = found?.country_code ?? found?.country?.iso_code;
      code = typeof said === 'string' && /^[A-Z]{2}$/.test(said) ? said : null;
    } catch {
      // an address of a family the file does not hold
    }
    known.set(address, { code });
    return code;
  };
}
