// A static site for browser tests: pages as somebody wrote them, on an origin of their own.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Pages {
  url: string;
  /** Page by path; `{type, body}` where it is no UTF-8 HTML. Anything else is an empty page. */
  pages: Map<string, string | { type: string; body: Buffer }>;
  close(): Promise<void>;
}

/** Starts it on a free port; a form that posts to it is answered with an empty page. */
export async function startPages(): Promise<Pages> {
  const pages: Pages['pages'] = new Map();
  const server = createServer((request, response) => {
    const found = pages.get(new URL(request.url ?? '/', 'http://pages').pathname) ?? '';
    const { type, body } =
      typeof found === 'string'
        ? { type: 'text/html; charset=utf-8', body: Buffer.from(`<!doctype html>${found}`) }
        : found;
    request.resume();
    response.writeHead(200, { 'Content-Type': type });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pages,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
