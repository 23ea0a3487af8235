// Asking the API, as whoever is signed in. A refusal is said in its own words, with the id of the request.

export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  readonly retryAfter: number | null;
  readonly issues: readonly { path: string; message: string }[];
  constructor(status: number, body: Record<string, unknown>, retryAfter: number | null) {
    super(typeof body.message === 'string' ? body.message : `HTTP ${status}`);
    this.status = status;
    this.code = typeof body.error === 'string' ? body.error : 'unavailable';
    this.requestId = typeof body.requestId === 'string' ? body.requestId : null;
    this.retryAfter = retryAfter;
    this.issues = Array.isArray(body.issues) ? body.issues : [];
  }
}

/** What the page itself finds wrong with a field, said as the API would. */
export const wrongAt = (path: string, message: string): Refusal =>
  new Refusal(400, { message, issues: [{ path, message }] }, null);

/** Told when a session is over, or asks for a proof; set by whoever shows it. */
export const on = {
  signedOut: (): void => {},
  /** resolves to true when it was given */
  proof: async (): Promise<boolean> => false,
};

/** Sent with every question: the token of a shared view. */
export const headers: Record<string, string> = {};

export interface How {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  body?: unknown;
  signal?: AbortSignal;
  /** The version that this changes: what somebody else changed meanwhile is not written over (412). */
  version?: number;
}

/** What the API answers. throws  Refusal; a network that does not answer is one with status 0 */
async function answerTo(path: string, how: How): Promise<Response> {
  const { method = how.body === undefined ? 'GET' : 'POST', body, signal, version } = how;
  const answer = await fetch(path, {
    method,
    // who looks through a link sees what it shows, also when they are signed in
    ...('x-share-token' in headers ? { credentials: 'omit' } : {}),
    headers: {
      ...headers,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(version === undefined ? {} : { 'if-match': `"${version}"` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  }).catch((error: Error) => {
    if (error.name === 'AbortError') throw error;
    throw new Refusal(0, { error: 'offline', message: '' }, null);
  });
  if (answer.ok) return answer;
  const told = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  const refusal = new Refusal(answer.status, told, Number(answer.headers.get('retry-after')) || null);
  // a shared view is opened by a password of its own
  if (refusal.code === 'proof_required' && !headers['x-share-token'] && (await on.proof()))
    return answerTo(path, how);
  if (refusal.status === 401 && !path.startsWith('/v1/auth/')) on.signedOut();
  throw refusal;
}

/** throws  Refusal */
export async function ask<T = Record<string, unknown>>(path: string, how: How = {}): Promise<T> {
  return (await answerTo(path, how)).json() as Promise<T>;
}

/** A file that asks for a proof first, which a link cannot. throws  Refusal */
export async function save(path: string, name: string): Promise<void> {
  saveBlob(await (await answerTo(path, {})).blob(), name);
}

export function saveBlob(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
