// Bundles the browser script into dist/: `full.js` with everything, `core.js` with the core alone.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';

const here = (path: string) => new URL(path, import.meta.url);

/**
 * Builds both bundles and writes them to `dist/`.
 * returns  their minified text by name
 * throws   when esbuild, a development dependency, is absent, or when the source has a fault
 */
export async function buildSnippet(): Promise<Record<'full' | 'core', string>> {
  const { build } = await import('esbuild');
  const bundle = async (name: 'full' | 'core') => {
    const result = await build({
      entryPoints: [here(`browser/${name}.ts`).pathname],
      bundle: true,
      minify: true,
      write: false,
      format: 'iife',
      target: 'es2021',
      charset: 'utf8',
      legalComments: 'none',
      define: { FULL: String(name === 'full') },
      // Without this the strict settings of the type checker add a "use strict" to each download.
      tsconfigRaw: {},
      // Whatever a browser lacks, the page is not to hear of it.
      banner: { js: 'try{' },
      footer: { js: '}catch{}' },
    });
    const text = result.outputFiles[0]!.text.replace(/;?\n/g, '').replace(';})()}catch{}', '})()}catch{}');
    mkdirSync(here('dist/'), { recursive: true });
    // Renamed into place: several processes may start at once, and none may read half a file.
    writeFileSync(here(`dist/${name}.${process.pid}`), text);
    renameSync(here(`dist/${name}.${process.pid}`), here(`dist/${name}.js`));
    return text;
  };
  return { full: await bundle('full'), core: await bundle('core') };
}

if (import.meta.main) {
  for (const [name, text] of Object.entries(await buildSnippet())) {
    console.log(`${name}.js: ${Buffer.byteLength(text)} bytes`);
  }
}
