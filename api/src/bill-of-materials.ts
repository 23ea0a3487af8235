// Prints the bill of materials of the image's npm packages (CycloneDX JSON), for scripts/release.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { licensesInUse } from './licenses.ts';

interface Package {
  dev?: boolean;
  devDependencies?: Record<string, string>;
}

/** The manifest or the lock file as if there had never been packages for development. */
function production(file: 'package.json' | 'package-lock.json'): string {
  const read = JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')) as Package & {
    packages?: Record<string, Package>;
  };
  for (const [path, each] of [['', read] as const, ...Object.entries(read.packages ?? {})]) {
    delete each.devDependencies;
    if (each.dev) delete read.packages![path];
  }
  return JSON.stringify(read);
}

/** throws when npm is too old for it, or leaves out a package of the image */
export function billOfMaterials(): string {
  const folder = mkdtempSync(join(tmpdir(), 'marketing-bill-'));
  try {
    const project = join(folder, 'marketing-api'); // npm calls it by its folder
    mkdirSync(project);
    for (const file of ['package.json', 'package-lock.json'] as const)
      writeFileSync(join(project, file), production(file));
    // `--omit dev` on the whole tree would leave out pg and nodemailer, which packages for development need as well (npm 11.19).
    const bill = execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], {
      cwd: project,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    const { components } = JSON.parse(bill) as { components: { purl: string }[] };
    const listed = new Set(components.map(({ purl }) => decodeURIComponent(purl)));
    const missing = licensesInUse().filter(({ name, version }) => !listed.has(`pkg:npm/${name}@${version}`));
    if (missing.length > 0)
      throw new Error(`npm sbom leaves out ${missing.map(({ name }) => name).join(', ')}.`);
    return bill;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) process.stdout.write(billOfMaterials());
