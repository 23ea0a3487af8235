// Serves the browser script: under a short name that follows upgrades, and under its hash for ever.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { ok, refusals } from '../../ground/http/openapi-parts.ts';

const BUNDLES = ['full', 'core'] as const;
const DIST = new URL('dist/', import.meta.url);
// Bundles of earlier releases: a page that pasted a versioned address goes on counting after an upgrade.
const RELEASED = new URL('released/', import.meta.url);

interface Script {
  hash: string;
  integrity: string;
  plain: Buffer;
  gzip: Buffer;
  brotli: Buffer;
}

function scriptOf(plain: Buffer): Script {
  return {
    hash: createHash('sha256').update(plain).digest('hex').slice(0, 16),
    integrity: `sha384-${createHash('sha384').update(plain).digest('base64')}`,
    plain,
    gzip: gzipSync(plain, { level: 9 }),
    brotli: brotliCompressSync(plain),
  };
}

function readBundle(name: (typeof BUNDLES)[number]): Script {
  try {
    return scriptOf(readFileSync(new URL(`${name}.js`, DIST)));
  } catch (cause) {
    throw new Error(
      `The snippet has not been built: src/product/snippet/dist/${name}.js is missing. Run "npm run build:snippet" in api/.`,
      { cause },
    );
  }
}

function readReleased(): Script[] {
  try {
    return readdirSync(RELEASED)
      .filter((file) => file.endsWith('.js'))
      .map((file) => scriptOf(readFileSync(new URL(file, RELEASED))));
  } catch {
    return [];
  }
}

/**
 * Builds the bundles if they are absent or older than their source. A server without esbuild, which is a
 * development dependency, must have been given them.
 * throws  when they are absent and can't be built, saying what to run
 */
export async function ensureSnippet(): Promise<void> {
  if (isFresh()) return;
  try {
    const { buildSnippet } = await import('./build.ts');
    await buildSnippet();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    BUNDLES.forEach(readBundle);
  }
}

function isFresh(): boolean {
  try {
    const source = new URL('browser/', import.meta.url);
    const changed = (file: URL) => statSync(file).mtimeMs;
    const newest = Math.max(...readdirSync(source).map((name) => changed(new URL(name, source))));
    return BUNDLES.every((name) => changed(new URL(`${name}.js`, DIST)) >= newest);
  } catch {
    return false;
  }
}

function serve(ctx: Context, script: Script, cacheControl: string): void {
  ctx.set({
    'Cache-Control': cacheControl,
    'Content-Type': 'text/javascript; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
    // A public file that any site may load, and must be able to read for its integrity check.
    'Access-Control-Allow-Origin': '*',
    'Cross-Origin-Resource-Policy': 'cross-origin',
    ETag: `W/"${script.hash}"`,
  });
  ctx.vary('Accept-Encoding');
  ctx.status = 200;
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  // Ours to choose among equals: browsers name gzip first, and brotli is a tenth smaller.
  const encoding = (['br', 'gzip'] as const).find((one) => ctx.acceptsEncodings(one));
  if (encoding) ctx.set('Content-Encoding', encoding);
  ctx.body = encoding === 'br' ? script.brotli : encoding === 'gzip' ? script.gzip : script.plain;
}

/**
 * `GET /s.js` (everything) and `GET /s-core.js` (the core), `GET /s/<hash>.js` (immutable), and `GET /s.json`,
 * which tells the versioned address and the integrity of each.
 * throws  when the bundles have not been built
 */
export function snippetRoutes(): Router {
  const bundles = Object.fromEntries(BUNDLES.map((name) => [name, readBundle(name)])) as Record<
    (typeof BUNDLES)[number],
    Script
  >;
  const byHash = new Map(
    [...readReleased(), ...Object.values(bundles)].map((script) => [script.hash, script]),
  );
  // Ten minutes: an upgrade reaches every page within that time, and a visit downloads the script once.
  const short = 'public, max-age=600, stale-while-revalidate=86400';

  const router = new Router();
  router.get('/s.js', (ctx) => serve(ctx, bundles.full, short));
  router.get('/s-core.js', (ctx) => serve(ctx, bundles.core, short));
  router.get('/s.json', (ctx) => {
    ctx.set('Cache-Control', 'no-cache');
    ctx.set('Access-Control-Allow-Origin', '*');
    ctx.body = {
      ok: true,
      ...Object.fromEntries(
        BUNDLES.map((name) => {
          const { hash, integrity, plain, gzip } = bundles[name];
          return [name, { path: `/s/${hash}.js`, integrity, bytes: plain.length, gzipBytes: gzip.length }];
        }),
      ),
    };
  });
  router.get('/s/:file', (ctx, next) => {
    const script = byHash.get(/^([0-9a-f]{16})\.js$/.exec(ctx.params.file ?? '')?.[1] ?? '');
    return script ? serve(ctx, script, 'public, max-age=31536000, immutable') : next();
  });
  return router;
}

const script = { 200: { description: 'The script', content: { 'text/javascript': {} } } };
const bundle = z.object({
  path: z.string(),
  integrity: z.string().describe('for the integrity attribute of the script tag'),
  bytes: z.number(),
  gzipBytes: z.number(),
});

export const snippetPaths: ZodOpenApiPathsObject = {
  '/s.js': { get: { summary: 'The script for pages, with everything', responses: script } },
  '/s-core.js': { get: { summary: 'The script for pages, page views and events only', responses: script } },
  '/s/{file}': {
    get: {
      summary: 'A version of the script that never changes',
      requestParams: { path: z.object({ file: z.string().describe('<hash>.js, from /s.json') }) },
      responses: { ...script, ...refusals },
    },
  },
  '/s.json': {
    get: {
      summary: 'The versioned addresses of the scripts and their integrity',
      responses: { 200: ok(z.object({ ok: z.literal(true), full: bundle, core: bundle })) },
    },
  },
};
