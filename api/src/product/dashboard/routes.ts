// Serves the dashboard where there is no Caddy (scripts/start): its page at every address under /app, its files under their hash.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { Pool } from '../../ground/db/pool.ts';
import type { Call } from '../../ground/http/call.ts';
import { type Packed, pack, packedReply } from '../../ground/http/packed.ts';
import type { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { isUuid } from '../../ground/lib/uuid.ts';
import { framersOf } from '../shares/embed.ts';

const DIST = new URL('dist/', import.meta.url);
const PAGES = ['index.html', 'embed.html'];

/** What the page may do; Caddy says the same (test/caddy.test.ts compares). */
export const PAGE_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  'X-Robots-Tag': 'noindex',
  'Cache-Control': 'no-cache',
} as const;

/** Of the page of a shared view: as all others, but for who may frame it; and kept nowhere, so that a revoked one ends at once. */
function framedHeaders(framers: readonly string[]): Record<string, string> {
  const { 'X-Frame-Options': denied, ...others } = PAGE_HEADERS;
  const policy = PAGE_HEADERS['Content-Security-Policy'];
  if (framers.length === 0) return { ...PAGE_HEADERS, 'Cache-Control': 'no-store' };
  return {
    ...others,
    'Content-Security-Policy': policy.replace(
      "frame-ancestors 'none'",
      `frame-ancestors ${framers.join(' ')}`,
    ),
    'Cache-Control': 'no-store',
  };
}

const TYPES: Record<string, string> = { js: 'text/javascript', css: 'text/css', html: 'text/html' };

/** Read when somebody asks first: where Caddy serves them nobody does. */
const read = new Map<string, Packed>();
function fileOf(name: string): Packed | null {
  const known = read.get(name);
  if (known) return known;
  if (!/^[\w.-]+$/.test(name) || name.startsWith('.')) return null;
  try {
    const file = pack(readFileSync(new URL(name, DIST)));
    read.set(name, file);
    return file;
  } catch {
    return null;
  }
}

function serve(call: Call, name: string, headers: Record<string, string>): Reply {
  const file = fileOf(name);
  if (!file) throw new AppError('not_found', 'There is nothing at this address.');
  return packedReply(call, file, {
    ...headers,
    'Content-Type': `${TYPES[name.split('.').at(-1)!]}; charset=utf-8`,
  });
}

export function dashboardRoutes({ db }: { db: Pool }): Route[] {
  const common = { tag: 'dashboard', who: 'anyone', bucket: 'none', quiet: true } as const;
  const shell = (at: Route['at'], id: string): Route =>
    route({
      ...common,
      at,
      id,
      says: 'The dashboard: one page, which asks the API for everything it shows',
      answers: { 200: { says: 'The page', type: 'text/html' } },
      run: (_input, call) => serve(call, 'index.html', PAGE_HEADERS),
    });
  return [
    shell('GET /app', 'getDashboard'),
    shell('GET /app/', 'getDashboardRoot'),
    route({
      ...common,
      at: 'GET /app/-/:file',
      id: 'getDashboardFile',
      says: 'A file of the dashboard, which never changes',
      answers: { 200: { says: 'The file', type: 'text/javascript' } },
      run(_input, call) {
        const name = call.params.file ?? '';
        if (name.endsWith('.html')) throw new AppError('not_found', 'There is nothing at this address.');
        return serve(call, name, {
          'Cache-Control': 'public, max-age=31536000, immutable',
          'Cross-Origin-Resource-Policy': 'same-origin',
        });
      },
    }),
    route({
      ...common,
      bucket: 'other', // it looks into the database
      at: 'GET /app/embed/:share',
      id: 'getEmbeddedShare',
      says: 'A shared view for a frame, on pages of the origins it names; its token stands in the fragment',
      answers: { 200: { says: 'The page, whether there is such a view or not', type: 'text/html' } },
      async run(_input, call) {
        const shareId = call.params.share ?? '';
        // a page of a site whose key is "embed"
        if (!isUuid(shareId)) return serve(call, 'index.html', PAGE_HEADERS);
        return serve(call, 'embed.html', framedHeaders(await framersOf(db, shareId)));
      },
    }),
    shell('GET /app/:page', 'getDashboardPage'),
    shell('GET /app/:site/:page', 'getDashboardPageOfSite'),
    shell('GET /app/:site/:page/:id', 'getDashboardPageOfOne'),
  ];
}

/**
 * Builds the dashboard if it is absent or older than its source. A server without esbuild, which is a development
 * dependency, must have been given it.
 * throws  when it is absent and can't be built, saying what to run
 */
export async function ensureDashboard(): Promise<void> {
  if (isBuilt()) return;
  try {
    const { buildDashboard } = await import('./build.ts');
    await buildDashboard();
    read.clear();
  } catch (cause) {
    // a fault in the source is told, and no page of before takes its place
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    if (PAGES.every(fileOf)) return;
    throw new Error(
      'The dashboard has not been built, and cannot be built here. Run "npm run build:dashboard" in api/.',
      { cause },
    );
  }
}

function isBuilt(): boolean {
  try {
    const built = Math.min(...PAGES.map((name) => statSync(new URL(name, DIST)).mtimeMs));
    const sources = readdirSync(new URL('browser/', import.meta.url), {
      recursive: true,
      withFileTypes: true,
    });
    return sources
      .filter((entry) => entry.isFile())
      .every((entry) => statSync(`${entry.parentPath}/${entry.name}`).mtimeMs <= built);
  } catch {
    return false;
  }
}
