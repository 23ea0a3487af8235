// Serves the browser script: under a short name that follows upgrades, and under its hash for ever.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import { type Packed, pack, packedReply } from '../../ground/http/packed.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Answers, type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { hashOf, starterOf } from './starter.ts';

const BUNDLES = ['full', 'core', 'consent', 'proof'] as const;
const SOURCES = ['browser/', 'proof/'] as const;
const DIST = new URL('dist/', import.meta.url);

interface Script extends Packed {
  hash: string;
  integrity: string;
}

function scriptOf(plain: Buffer): Script {
  return {
    hash: hashOf(plain),
    integrity: `sha384-${createHash('sha384').update(plain).digest('base64')}`,
    ...pack(plain),
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
    const changed = (file: URL) => statSync(file).mtimeMs;
    const newest = Math.max(
      ...SOURCES.map((folder) => new URL(folder, import.meta.url)).flatMap((folder) =>
        readdirSync(folder).map((name) => changed(new URL(name, folder))),
      ),
    );
    return BUNDLES.every((name) => changed(new URL(`${name}.js`, DIST)) >= newest);
  } catch {
    return false;
  }
}

function serve(call: Call, script: Script, cacheControl: string): Reply {
  const headers = {
    'Cache-Control': cacheControl,
    'Content-Type': 'text/javascript; charset=utf-8',
    // A public file that any site may load, and must be able to read for its integrity check.
    'Access-Control-Allow-Origin': '*',
    'Cross-Origin-Resource-Policy': 'cross-origin',
    ETag: `W/"${script.hash}"`,
    Vary: 'Accept-Encoding',
  };
  if (call.isFresh(headers.ETag)) return new Reply(304, null, headers);
  return packedReply(call, script, headers);
}

const SCRIPT: Answers = {
  200: { says: 'The script', type: 'text/javascript' },
  304: { says: 'The browser has it' },
};
const bundle = z.object({
  path: z.string(),
  integrity: z.string().describe('for the integrity attribute of the script tag'),
  bytes: z.int(),
  gzipBytes: z.int(),
});

/**
 * `GET /s.js` (everything), `GET /s-core.js` (the core), `GET /consent.js` and `GET /p.js`, `GET /s/<hash>.js` (immutable; of
 * p.js `GET /p/<hash>.js`), and `GET /s.json`, which tells the versioned address and the integrity of each.
 * throws  when the bundles have not been built
 */
export function snippetRoutes(): Route[] {
  const bundles = Object.fromEntries(BUNDLES.map((name) => [name, readBundle(name)])) as Record<
    (typeof BUNDLES)[number],
    Script
  >;
  // Those of earlier releases are Caddy's: they stay in its volume (container/static-files.ts).
  const byHash = new Map(Object.values(bundles).map((script) => [script.hash, script]));
  const starter = scriptOf(Buffer.from(starterOf(bundles.proof.hash)));
  const version = (_input: unknown, call: Call) => {
    const script = byHash.get(/^([0-9a-f]{16})\.js$/.exec(call.params.file ?? '')?.[1] ?? '');
    if (!script) throw new AppError('not_found', 'There is nothing at this address.');
    return serve(call, script, 'public, max-age=31536000, immutable');
  };
  // Ten minutes: an upgrade reaches every page within that time, and a visit downloads the script once.
  const short = 'public, max-age=600, stale-while-revalidate=86400';
  const common = { tag: 'snippet', who: 'anyone', bucket: 'none' } as const;

  return [
    route({
      ...common,
      at: 'GET /s.js',
      id: 'getScript',
      says: 'The script for pages, with everything',
      answers: SCRIPT,
      run: (_input, call) => serve(call, bundles.full, short),
    }),
    route({
      ...common,
      at: 'GET /s-core.js',
      id: 'getCoreScript',
      says: 'The script for pages, page views and events only',
      answers: SCRIPT,
      run: (_input, call) => serve(call, bundles.core, short),
    }),
    route({
      ...common,
      at: 'GET /consent.js',
      id: 'getConsentScript',
      says: 'The consent control, to stand before either script',
      answers: SCRIPT,
      run: (_input, call) => serve(call, bundles.consent, short),
    }),
    route({
      ...common,
      at: 'GET /p.js',
      id: 'getNotificationScript',
      says: 'What shows notifications, to stand beside either script: fetches the rest once the page is loaded',
      answers: SCRIPT,
      run: (_input, call) => serve(call, starter, short),
    }),
    route({
      ...common,
      at: 'GET /s.json',
      id: 'describeScripts',
      says: 'The versioned addresses of the scripts and their integrity',
      answers: { 200: z.object({ full: bundle, core: bundle, consent: bundle, proof: bundle }) },
      run: () =>
        new Reply(
          200,
          Object.fromEntries(
            BUNDLES.map((name) => {
              const { hash, integrity, plain, gzip } = bundles[name];
              return [
                name,
                {
                  path: `/${name === 'proof' ? 'p' : 's'}/${hash}.js`,
                  integrity,
                  bytes: plain.length,
                  gzipBytes: gzip.length,
                },
              ];
            }),
          ),
          { 'Cache-Control': 'no-cache', 'Access-Control-Allow-Origin': '*' },
        ),
    }),
    route({
      ...common,
      at: 'GET /s/:file',
      id: 'getScriptVersion',
      says: 'A version of the script that never changes; its name, <hash>.js, stands in /s.json',
      answers: SCRIPT,
      run: version,
    }),
    route({
      ...common,
      at: 'GET /p/:file',
      id: 'getNotificationScriptVersion',
      says: 'A version of p.js that never changes; its name, <hash>.js, stands in /s.json',
      answers: SCRIPT,
      run: version,
    }),
  ];
}
