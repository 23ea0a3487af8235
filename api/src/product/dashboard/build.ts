// Bundles the dashboard into dist/: files whose names hold the hash of their content, and the page that names them.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';

const here = (path: string) => new URL(path, import.meta.url);
/** Where the files are served, and nothing else is. */
export const FILES = '/app/-/';

/** isEmbedded  it stands in a frame: said by the page itself, so that no spelling of its address makes it show more than that */
const pageOf = (script: string, style: string, isEmbedded: boolean) => `<!doctype html>
<html lang="en"${isEmbedded ? ' data-embedded' : ''}><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><title>Marketing</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="${FILES}${style}"><script type="module" src="${FILES}${script}"></script>
</head><body><div id="app"></div><noscript><p>The dashboard needs JavaScript. Everything it shows is in the API too: /v1/openapi.json</p></noscript></body></html>
`;

export interface Built {
  /** Name to content; the pages `index.html` and `embed.html` among them. */
  files: Record<string, Uint8Array>;
  /** Names of the script and the style that the page asks for, and what the script always loads. */
  first: string[];
}

/** throws  when esbuild, a development dependency, is absent, or when the source has a fault */
export async function bundleDashboard(): Promise<Built> {
  const { build } = await import('esbuild');
  const { outputFiles, metafile } = await build({
    entryPoints: [here('browser/main.tsx').pathname, here('browser/app.css').pathname],
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    outdir: 'dist',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    jsx: 'transform', // h('p', {…}, …) says less than jsx('p', {…, children: […]})
    jsxFactory: 'h',
    jsxFragment: 'Fragment',
    inject: [here('browser/lib/kit.ts').pathname],
    tsconfigRaw: {},
  });
  const files: Record<string, Uint8Array> = Object.fromEntries(
    outputFiles.map(({ path, contents }) => [basename(path), contents]),
  );
  const named = (start: string, end: string) =>
    Object.keys(files).find((name) => name.startsWith(start) && name.endsWith(end))!;
  const [script, style] = [named('main-', '.js'), named('app-', '.css')];
  files['index.html'] = Buffer.from(pageOf(script, style, false));
  files['embed.html'] = Buffer.from(pageOf(script, style, true));
  const whole = Object.entries(metafile.outputs).find(([path]) => path.endsWith(script))![1];
  const always = whole.imports
    .filter(({ kind }) => kind === 'import-statement')
    .map(({ path }) => basename(path));
  return { files, first: [script, style, ...always] };
}

/** Writes them to `dist/`, the pages last: who reads one finds what it names. */
export async function buildDashboard(): Promise<Built> {
  const built = await bundleDashboard();
  const next = here(`dist.${process.pid}/`);
  mkdirSync(next, { recursive: true });
  for (const [name, content] of Object.entries(built.files)) writeFileSync(new URL(name, next), content);
  mkdirSync(here('dist/'), { recursive: true });
  for (const name of Object.keys(built.files).sort(
    (a, b) => Number(a.endsWith('.html')) - Number(b.endsWith('.html')),
  ))
    renameSync(new URL(name, next), here(`dist/${name}`));
  rmSync(next, { recursive: true });
  return built;
}

if (import.meta.main) {
  const { files, first } = await buildDashboard();
  for (const [name, content] of Object.entries(files))
    console.log(
      `${String(gzipSync(content, { level: 9 }).length).padStart(7)}  ${name}${first.includes(name) ? '  (first page)' : ''}`,
    );
}
