// Which releases the registry has that the image came from: one request for its tags, and one for a token where it wants one.
import { getDomain } from 'tldts';

const PATIENCE_MS = 20_000;
const PAGES_MAX = 20;

export interface Repository {
  /** e.g. https://ghcr.io */
  registry: string;
  /** e.g. acme/marketing-api */
  name: string;
}

/** image: as in IMAGE. returns  null for one that was built here or carried here, which comes from no registry */
export function repositoryOf(image: string): Repository | null {
  const bare = image.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
  const [first = '', ...others] = bare.split('/');
  if (others.length === 0) return null;
  const isHost = /[.:]/.test(first) || first === 'localhost';
  if (!isHost || first === 'docker.io')
    return { registry: 'https://registry-1.docker.io', name: isHost ? others.join('/') : bare };
  // as Docker does: a registry on this very machine needs no certificate
  const scheme = /^(localhost|127\.[\d.]+)(:\d+)?$/.test(first) ? 'http' : 'https';
  return { registry: `${scheme}://${first}`, name: others.join('/') };
}

/** throws  an Error in words, when the registry does not answer or wants a key */
export async function tagsOf({ registry, name }: Repository): Promise<string[]> {
  const tags: string[] = [];
  let url: URL | null = new URL(`/v2/${name}/tags/list?n=1000`, registry);
  let token: string | null = null;
  for (let page = 0; url && page < PAGES_MAX; page++) {
    let answer = await ask(url, token);
    if (answer.status === 401 && token === null) {
      token = await tokenFrom(answer.headers.get('www-authenticate') ?? '', url);
      answer = await ask(url, token);
    }
    if (!answer.ok) throw new Error(`${url.host} answered ${answer.status} to the list of releases`);
    const { tags: some } = (await answer.json()) as { tags?: unknown[] | null };
    tags.push(...(some ?? []).filter((tag) => typeof tag === 'string'));
    const next = /<([^>]+)>;\s*rel="?next/.exec(answer.headers.get('link') ?? '')?.[1];
    const following: URL | null = next ? new URL(next, url) : null;
    url = following && following.host === url.host ? following : null;
  }
  return tags;
}

const ask = (url: URL, token: string | null): Promise<Response> =>
  fetch(url, {
    headers: token ? { authorization: `Bearer ${token}` } : {},
    redirect: 'error',
    signal: AbortSignal.timeout(PATIENCE_MS),
  });

/** Nobody but the place the image comes from is asked: a token from elsewhere is done without. */
async function tokenFrom(challenge: string, asked: URL): Promise<string> {
  const word = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1];
  const realm = word('realm');
  const url = realm && URL.canParse(realm) ? new URL(realm) : null;
  const same = url && (url.host === asked.host || (getDomain(url.host) ?? 'a') === getDomain(asked.host));
  if (!url || !same) throw new Error(`${asked.host} wants a key that another place gives; it is not asked`);
  for (const name of ['service', 'scope']) {
    const value = word(name);
    if (value) url.searchParams.set(name, value);
  }
  const answer = await ask(url, null);
  if (!answer.ok) throw new Error(`${url.host} answered ${answer.status} to the request for a token`);
  const { token, access_token } = (await answer.json()) as { token?: string; access_token?: string };
  return token ?? access_token ?? '';
}

const numbersOf = (tag: string): number[] | null =>
  /^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})$/.exec(tag)?.slice(1).map(Number) ?? null;

function compare(a: number[], b: number[]): number {
  const at = a.findIndex((number, index) => number !== b[index]);
  return at === -1 ? 0 : a[at]! - b[at]!;
}

/** Of whole releases only: a trial version (1.0.0-rc.1) is nobody's upgrade. returns  null when none is newer */
export function newestOver(version: string, tags: readonly string[]): string | null {
  const own = numbersOf(version);
  if (!own) return null;
  const newer = tags
    .flatMap((tag) => {
      const numbers = numbersOf(tag);
      return numbers && compare(numbers, own) > 0 ? [{ tag, numbers }] : [];
    })
    .sort((a, b) => compare(b.numbers, a.numbers));
  return newer[0]?.tag ?? null;
}
