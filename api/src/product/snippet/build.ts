// Bundles the browser script into dist/: `full.js` with everything, `core.js` with the core alone; and the consent control,
// `consent.js`, and the notifications, `p.js`, which stand beside either.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { hashOf, starterOf } from './starter.ts';

const here = (path: string) => new URL(path, import.meta.url);
/** What the full bundle has beside the core, in the order in which it runs. */
const PARTS = ['forms', 'clicks', 'attention', 'notifications'] as const;

const bundle = (parts: readonly string[], proof: string) => minified(['core', ...parts], hashOf(proof));

/** proof  the hash of the notifications that the script with everything fetches; null: it is another one */
async function minified(
  parts: readonly string[],
  proof: string | null,
  folder = 'browser/',
): Promise<string> {
  const { build, transform } = await import('esbuild');
  const result = await build({
    stdin: {
      contents: parts.map((part) => `import './${part}.ts';`).join('\n'),
      resolveDir: here(folder).pathname,
    },
    bundle: true,
    minifySyntax: true,
    write: false,
    format: 'esm',
    target: 'es2021',
    charset: 'utf8',
    legalComments: 'none',
    define: { FULL: String(proof !== null && parts.length > 1), PROOF: JSON.stringify(proof) },
    // Without this the strict settings of the type checker add a "use strict" to each download.
    tsconfigRaw: {},
  });
  // Twice: the names that are given depend on the letters of what is read, and a comment is not to change the size.
  const { code } = await transform(result.outputFiles[0]!.text, {
    minify: true,
    format: 'esm',
    target: 'es2021',
    charset: 'utf8',
    legalComments: 'none',
  });
  // In a block of its own nothing becomes a global, and whatever a browser lacks, the page is not to hear of it.
  return `try{${code.replace(/;?\n/g, '').replace(/\bvar /g, 'let ')}}catch{}`;
}

const gzipBytes = (text: string) => gzipSync(text, { level: 9 }).length;

/**
 * Builds the bundles and writes them to `dist/`.
 * returns  their minified text by name
 * throws   when esbuild, a development dependency, is absent, or when the source has a fault
 */
export async function buildSnippet(): Promise<Record<'full' | 'core' | 'consent' | 'proof', string>> {
  const proof = await minified(['p'], null, 'proof/');
  const bundles = {
    full: await bundle(PARTS, proof),
    core: await bundle([], proof),
    consent: await minified(['consent'], null),
    proof,
  };
  mkdirSync(here('dist/'), { recursive: true });
  for (const [name, text] of Object.entries(bundles)) {
    // Renamed into place: several processes may start at once, and none may read half a file.
    writeFileSync(here(`dist/${name}.${process.pid}`), text);
    renameSync(here(`dist/${name}.${process.pid}`), here(`dist/${name}.js`));
  }
  return bundles;
}

/** The table of the snippet's README: what each part adds to the download, gzipped. */
export async function weights(): Promise<string> {
  const { full, core, consent, proof } = await buildSnippet();
  const whole = gzipBytes(full);
  const rows: [string, number][] = [['the core alone (`/s-core.js`)', gzipBytes(core)]];
  for (const part of PARTS)
    rows.push([
      `\`browser/${part}.ts\` adds`,
      whole -
        gzipBytes(
          await bundle(
            PARTS.filter((one) => one !== part),
            proof,
          ),
        ),
    ]);
  rows.push(
    ['everything (`/s.js`)', whole],
    ['beside it, the consent control (`/consent.js`)', gzipBytes(consent)],
    [
      'and the notifications (`/p.js`, and what it fetches after the page)',
      gzipBytes(proof) + gzipBytes(starterOf('0123456789abcdef')),
    ],
  );
  return [
    '| part | bytes, gzipped |',
    '| --- | --- |',
    ...rows.map(([name, bytes]) => `| ${name} | ${bytes} |`),
  ].join('\n');
}

if (import.meta.main) console.log(await weights());
