// A bakery's website on a port of its own: another origin than the API's, as every customer's site is.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';

const PAGES = new URL('pages/', import.meta.url);
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.pdf': 'application/pdf',
};

/** The part of each page that is the same on all: what goes above and below its own words. */
function page(layout: string, body: string): string {
  const title = /<h1[^>]*>(.*?)<\/h1>/s.exec(body)?.[1]?.replace(/<[^>]*>/g, '') ?? 'Crumb & Co.';
  return layout.replace('{{title}}', () => title).replace('{{body}}', () => body);
}

/**
 * Serves the demo site until it is closed.
 * port       0 takes a free one
 * apiOrigin  where its pages load the snippet from and post their form to, such as `http://127.0.0.1:3000`
 * consent    the mode of the snippet on its pages; none: the line of the README. A visitor can change it there
 * propertyId the site's key
 * script     the script's path on the API
 * notifications  true: the line asks for them; tag: /p.js stands beside it, as where another script counts
 */
export async function startDemo(options: {
  port: number;
  apiOrigin: string;
  host?: string;
  consent?: string;
  propertyId?: string;
  script?: string;
  notifications?: boolean | 'tag';
}): Promise<{ url: string; close: () => Promise<void> }> {
  const {
    port,
    apiOrigin,
    host = '127.0.0.1',
    consent = '',
    propertyId = 'default',
    script = '/s.js',
    notifications = false,
  } = options;
  const fill: Record<string, string> = { api: new URL(apiOrigin).origin, propertyId, script };
  const read = (file: string) => readFileSync(new URL(file, PAGES), 'utf8');
  const files = new Map<string, { type: string; body: string }>();
  const bare = read('layout.html');
  const tag = '    <script async src="{{api}}/p.js" data-site="{{propertyId}}"></script>\n';
  const layout = notifications === 'tag' ? bare.replace('  </head>', `${tag}  </head>`) : bare;
  const show = (file: string, consent: string) => {
    const isAsking = consent === 'ask';
    const mode = consent && !isAsking && ` data-consent="${consent}"`;
    const plain = /<script async .*?<\/script>/.exec(layout)![0];
    const asking = plain.replace('async', 'defer').replace('{{script}}', '/consent.js');
    const whole = notifications === true ? plain.replace('></', ' data-notifications></') : plain;
    // the consent control stands before the script
    const line = isAsking
      ? `${asking}\n    ${whole.replace('async', 'defer')}`
      : whole.replace('></', `${mode || ''}></`);
    const text = file.endsWith('.html')
      ? page(
          layout.replace(/<script async .*?<\/script>/, () => line),
          read(file),
        )
      : read(file);
    const shown = line.replaceAll('<', '&lt;');
    const again = isAsking ? '<button type="button" data-mkt-consent>Your privacy choice</button>' : '';
    return text
      .replace('{{line}}', () => shown)
      .replace('{{again}}', again)
      .replace(/\{\{(\w+)\}\}/g, (whole, name) => fill[name] ?? whole);
  };
  for (const file of readdirSync(PAGES)) {
    const type = TYPES[extname(file)];
    if (type === undefined || file === 'layout.html') continue;
    const path = file === 'index.html' ? '/' : `/${file.replace(/\.html$/, '')}`;
    files.set(path, { type, body: show(file, consent) });
  }
  for (const mode of ['full', 'page', 'off', 'ask'])
    files.set(`/modes/${mode}`, { type: TYPES['.html']!, body: show('modes.html', mode) });
  const missing = files.get('/404')!;
  // The menu is one page that draws itself at several addresses.
  const find = (path: string) => (/^\/menu\/[a-z]+$/.test(path) ? files.get('/menu') : files.get(path));

  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://demo').pathname;
    const found = path === '/404' ? undefined : find(path);
    const { type, body } = found ?? missing;
    response.writeHead(found ? 200 : 404, {
      'Content-Type': type,
      'Cache-Control': 'no-cache',
      'X-Content-Type-Options': 'nosniff',
      // As strict as a careful site's: the snippet needs its own origin in three places and nothing inline.
      'Content-Security-Policy': `default-src 'self'; script-src 'self' ${fill.api} 'inline-speculation-rules'; connect-src ${fill.api}; img-src 'self' ${fill.api}; form-action 'self' ${fill.api}; frame-ancestors 'none'; base-uri 'none'`,
      ...(type.startsWith('application/') && { 'Content-Disposition': 'attachment' }),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
