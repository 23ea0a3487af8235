// Writes docs/licenses.md: the licence of every npm package in the image. npm run licenses; a test finds it out of date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

export const LIST = new URL('../../docs/licenses.md', import.meta.url);
const here = new URL('../', import.meta.url);

/** Permissive ones: the image may be passed on, closed or open, as long as their texts stay with it. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Unlicense',
]);

export interface Licensed {
  name: string;
  version: string;
  /** An SPDX expression; UNKNOWN where the package names none. */
  license: string;
}

interface Manifest {
  name?: string;
  version?: string;
  license?: string | { type?: string };
  /** How packages said it before 2015. */
  licenses?: { type?: string }[];
}

function licenseOf({ license, licenses }: Manifest): string {
  if (typeof license === 'string') return license.replace(/^\((.*)\)$/, '$1');
  return license?.type ?? licenses?.map(({ type }) => type ?? 'UNKNOWN').join(' OR ') ?? 'UNKNOWN';
}

/** throws when a package of the lock file is not installed */
export function licensesInUse(): Licensed[] {
  const lock = JSON.parse(readFileSync(new URL('package-lock.json', here), 'utf8')) as {
    packages: Record<string, { dev?: boolean; version?: string; license?: string }>;
  };
  const found = Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path, locked]) => {
      const file = new URL(`${path}/package.json`, here);
      // an optional package of another platform is not installed here; the lock file knows of it
      const manifest: Manifest = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : locked;
      const license = licenseOf(manifest);
      if (license === 'UNKNOWN' && !existsSync(file))
        throw new Error(`${path} is not installed, so its licence is not known. Run npm ci.`);
      const name = manifest.name ?? path.slice(path.lastIndexOf('node_modules/') + 13);
      return { name, version: locked.version ?? manifest.version ?? '', license };
    });
  const unique = new Map(found.map((each) => [`${each.name} ${each.version}`, each]));
  return [...unique.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

/** Whether an SPDX expression leaves us a permissive choice. */
export const isAllowed = (license: string): boolean =>
  license.split(' OR ').some((choice) => choice.split(' AND ').every((one) => ALLOWED.has(one)));

export function licenseText(packages: Licensed[]): string {
  const counts = new Map<string, number>();
  for (const { license } of packages) counts.set(license, (counts.get(license) ?? 0) + 1);
  const sums = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, sum]) => `${name} ${sum}`);
  return `# Licences

Our own code: MIT ([LICENSE](../LICENSE)). Of the npm packages that the image holds, each with what its own package.json says
(${packages.length}: ${sums.join(', ')}). Written by \`npm run licenses\` in \`api/\`; a test refuses a licence that is not permissive.

Beside them the image holds Node.js and everything of PostgreSQL's official image, Debian's packages included; the lists of these
stay in the image for scanners. Caddy is an image of its own. Each release's bill of materials (CycloneDX, npm packages) is made by \`scripts/release\`.

| package | version | licence |
|---|---|---|
${packages.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |\n`).join('')}`;
}

if (import.meta.main) writeFileSync(LIST, licenseText(licensesInUse()));
