// Whether a setting may have a value, as the start would judge it, before it stands in .env; and what must restart for it.
import { isIP } from 'node:net';
import { ConfigError, readConfig, settings } from '../../config.ts';
import { countryLookup } from '../../ground/geo/country.ts';
import { backupSettings } from '../backups/settings.ts';
import { APPLIANCE, BY_COMPOSE, MADE, nearestName, SECRET } from './names.ts';

export class SettingFault extends Error {}

/** As Compose takes what is published. */
function isPort(value: string): boolean {
  const [, address, port] = /^(?:(\[[\da-f:.]+\]|[\d.]+):)?(\d{1,5})$/i.exec(value) ?? [];
  const isAddress = address === undefined || isIP(address.replace(/^\[|\]$/g, '')) !== 0;
  return isAddress && Number(port) > 0 && Number(port) < 65_536;
}

/**
 * environment  the one that the API would start with
 * value        '' removes the line
 * returns      the services that a change makes anew
 * throws       SettingFault: not a setting, not one for .env, or a value that the start would refuse; faults that are there
 *              already are no reason
 */
export function checkSetting(name: string, value: string, environment: NodeJS.ProcessEnv): string[] {
  const own = APPLIANCE[name];
  if (own?.instead) throw new SettingFault(`${name} is not set this way: ${own.instead}`);
  if (own) {
    if (/_PORT$/.test(name) && value !== '' && !isPort(value))
      throw new SettingFault(
        `${name}: must be a port, 1 to 65535, or an address and a port, such as 127.0.0.1:8080`,
      );
    return own.restarts;
  }
  if (!(name in settings.shape)) {
    const nearest = nearestName(name);
    throw new SettingFault(
      `${name} is no setting${nearest ? `; ${nearest} was meant?` : ''} (.env.example has them all)`,
    );
  }
  if (BY_COMPOSE.includes(name))
    throw new SettingFault(`${name} is set by compose.yaml; a line in .env changes nothing`);
  if (MADE.includes(name))
    throw new SettingFault(
      `${name} was made at the first start; scripts/rotate and scripts/secret change such ones`,
    );
  if (SECRET.includes(name))
    throw new SettingFault(
      `${name} is a secret: keep it with scripts/secret ${name}, out of .env and of this command line`,
    );
  const before = faultsOf(environment);
  const added = faultsOf({ ...environment, [name]: value, [`${name}_FILE`]: '' }).filter(
    (fault) => !before.includes(fault),
  );
  if (added.length > 0) throw new SettingFault(added.join('; '));
  if (name === 'GEO_DATABASE' && value !== '') mustOpen(value);
  return ['api'];
}

/** Checked where the API will run, so that the file is looked for in its container. */
function mustOpen(file: string): void {
  try {
    countryLookup(file);
  } catch (error) {
    throw new SettingFault(
      `${(error as Error).message} In the appliance it lies in the API's volume: docker compose cp countries.mmdb api:/data/ and then GEO_DATABASE=/data/countries.mmdb`,
    );
  }
}

function faultsOf(environment: NodeJS.ProcessEnv): string[] {
  try {
    backupSettings(readConfig(environment));
    return [];
  } catch (error) {
    if (error instanceof ConfigError)
      return error.message
        .split('\n')
        .slice(1)
        .map((line) => line.replace(/^ *- /, ''));
    return [(error as Error).message];
  }
}
