// Lays the files that Caddy serves by itself out in public/, compressed beforehand: run once, while the image is built.
// The paths are those of src/product/snippet/routes.ts and src/product/dashboard/routes.ts, which serve them where there is no Caddy.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { hashOf, starterOf } from '../src/product/snippet/starter.ts';

function lay(path: string, content: Buffer): void {
  writeFileSync(path, content);
  writeFileSync(`${path}.br`, brotliCompressSync(content));
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
}
for (const folder of ['s', 'p', 'app/-']) mkdirSync(`public/${folder}`, { recursive: true });

// A version stays in the volume that this is copied to, also when the next release comes: pages name it, with its integrity.
for (const [bundle, name, versions] of [
  ['full', 's', 's'],
  ['core', 's-core', 's'],
  ['consent', 'consent', 's'],
  ['proof', 'p', 'p'],
] as const) {
  const script = readFileSync(`src/product/snippet/dist/${bundle}.js`);
  const hash = hashOf(script);
  lay(`public/${name}.js`, bundle === 'proof' ? Buffer.from(starterOf(hash)) : script);
  lay(`public/${versions}/${hash}.js`, script);
}

// The dashboard: its page at public/app/index.html, its files under /app/-/ with their hash in the name. Who may frame the page
// of a shared view the API alone knows, so that one is served by it.
const dashboard = 'src/product/dashboard/dist';
for (const name of readdirSync(dashboard)) {
  if (name === 'embed.html') continue;
  const content = readFileSync(`${dashboard}/${name}`);
  const path = name === 'index.html' ? `public/app/${name}` : `public/app/-/${name}`;
  lay(path, content);
}
