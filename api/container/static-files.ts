// Lays the files that Caddy serves by itself out in public/, compressed beforehand: run once, while the image is built.
// The paths are those of src/product/snippet/routes.ts and src/product/dashboard/routes.ts, which serve them where there is no Caddy.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';

mkdirSync('public/s', { recursive: true });
for (const [bundle, name] of [
  ['full', 's'],
  ['core', 's-core'],
  ['consent', 'consent'],
]) {
  const script = readFileSync(`src/product/snippet/dist/${bundle}.js`);
  const hash = createHash('sha256').update(script).digest('hex').slice(0, 16);
  for (const path of [`public/${name}.js`, `public/s/${hash}.js`]) {
    writeFileSync(path, script);
    writeFileSync(`${path}.br`, brotliCompressSync(script));
    writeFileSync(`${path}.gz`, gzipSync(script, { level: 9 }));
  }
}

// The dashboard: its page at public/app/index.html, its files under /app/-/ with their hash in the name. Who may frame the page
// of a shared view the API alone knows, so that one is served by it.
const dashboard = 'src/product/dashboard/dist';
mkdirSync('public/app/-', { recursive: true });
for (const name of readdirSync(dashboard)) {
  if (name === 'embed.html') continue;
  const content = readFileSync(`${dashboard}/${name}`);
  const path = name === 'index.html' ? `public/app/${name}` : `public/app/-/${name}`;
  writeFileSync(path, content);
  writeFileSync(`${path}.br`, brotliCompressSync(content));
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
}
