// Sends an example to a running server, as plainly as any program would.
import { methodOf, pathOf, type Route } from '../src/ground/http/route.ts';
import type { Example } from './examples.ts';
import { timely } from './people.ts';
import { BROWSER, type TestServer } from './server.ts';

const bodyOf = ({ body, form, csv }: Example): { type?: string; text?: string } =>
  body
    ? { type: 'application/json', text: JSON.stringify(timely(body)) }
    : form
      ? { type: 'application/x-www-form-urlencoded', text: new URLSearchParams(form).toString() }
      : csv
        ? { type: 'text/csv', text: csv }
        : {};

/** What fetch() takes. */
export function request(
  server: Pick<TestServer, 'url'>,
  route: Pick<Route, 'at'>,
  example: Example,
  headers: Record<string, string> = {},
): [string, RequestInit] {
  const path = pathOf(route).replace(/:(\w+)/g, (_, name) => encodeURIComponent(example.path![name]!));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(example.query ?? {})) query.set(name, String(value));
  const { type, text } = bodyOf(example);
  return [
    `${server.url}${path}?${query}`,
    {
      method: methodOf(route),
      redirect: 'manual',
      headers: {
        'user-agent': BROWSER,
        ...(type ? { 'content-type': type } : {}),
        ...headers,
        ...example.headers,
      },
      ...(text === undefined ? {} : { body: text }),
    },
  ];
}

export async function send(
  server: Pick<TestServer, 'url'>,
  route: Pick<Route, 'at'>,
  example: Example,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const response = await fetch(...request(server, route, example, headers));
  return { status: response.status, text: await response.text() };
}
