// Lays the files that Caddy serves by itself out in public/, compressed beforehand: run once, while the image is built.
// The paths and the hash are those of src/product/snippet/routes.ts, which serves them where there is no Caddy.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';

mkdirSync('public/s', { recursive: true });
for (const [bundle, name] of [
  ['full', 's'],
  ['core', 's-core'],
]) {
  const script = readFileSync(`src/product/snippet/dist/${bundle}.js`);
  const hash = createHash('sha256').update(script).digest('hex').slice(0, 16);
  for (const path of [`public/${name}.js`, `public/s/${hash}.js`]) {
    writeFileSync(path, script);
    writeFileSync(`${path}.br`, brotliCompressSync(script));
    writeFileSync(`${path}.gz`, gzipSync(script, { level: 9 }));
  }
}
