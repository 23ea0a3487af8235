// Where copies of backups go: what a place off this machine must be able to do, and what may go wrong there, in words.

export type Offsite = S3Target | SshTarget;

interface Patience {
  /** How long nothing may move before a connection is given up, in milliseconds. Default one minute. */
  silenceMs?: number;
  /** Before the second try, in milliseconds; each further one waits four times longer. Default 2000. */
  backoffMs?: number;
}

export interface S3Target extends Patience {
  kind: 's3';
  /** Endpoint with the bucket, and a folder in it if wanted: https://s3.ca-central-1.amazonaws.com/bucket/folder */
  url: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Files larger than this go in parts of this size (in bytes; at least 5 MiB where the bucket is Amazon's). Default 64 MiB. */
  partBytes?: number;
}

export interface SshTarget extends Patience {
  kind: 'ssh';
  /** ssh://user@host[:port]/folder */
  url: string;
  /** Text of the private key. */
  privateKey: string;
  /** SHA256 of the server's host key, base64 without padding, as ssh-keygen -l shows it: without it, anyone could pose as the target. */
  hostKeySha256: string;
}

export interface Found {
  name: string;
  bytes: number;
}

/** A place for copies. Every verb is one try; all throw OffsiteFault, or what the connection throws. */
export interface Shelf {
  /** Everything that lies there, whoever brought it. */
  list(): Promise<Found[]>;
  /** Brings a file under its own name, in the place of one that is there, and proves that what lies there is what was sent. */
  put(file: string): Promise<void>;
  /** Fetches one into a local file, which must not be there. */
  get(name: string, to: string): Promise<void>;
  /** One that is gone already is fine. */
  remove(name: string): Promise<void>;
  /** Ends what uploads that were cut off left, unseen and paid for, before that moment. */
  tidy?(before: Date): Promise<void>;
  close(): void;
}

export class OffsiteFault extends Error {
  /** Trying again at once is of no use: the place has answered, and the answer is no. */
  readonly final: boolean;
  constructor(message: string, { final = false } = {}) {
    super(message);
    this.name = 'OffsiteFault';
    this.final = final;
  }
}

/** e.g. "s3 s3.example.com": for people, without a key. */
export const nameOf = (target: Offsite): string => `${target.kind} ${new URL(target.url).host}`;

const SILENCE_MS = 60_000;
export const silenceOf = ({ silenceMs = SILENCE_MS }: Patience): number => silenceMs;

const CONNECTION: Record<string, string> = {
  ENOTFOUND: 'its name is not known; is the address right?',
  EAI_AGAIN: 'its name cannot be looked up now',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it cut the connection',
  EPIPE: 'it cut the connection',
  UND_ERR_SOCKET: 'it cut the connection',
  ETIMEDOUT: 'it does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  CERT_HAS_EXPIRED: 'its certificate has ended',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not from a known authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

/** What went wrong, for a person; never a key, and never a row. */
export function wordsOf(error: unknown): string {
  if (error instanceof OffsiteFault) return error.message.slice(0, 300);
  const { message, code, cause } = error as Error & { code?: string; cause?: { code?: string } };
  const known = cause?.code ?? code;
  if (known && CONNECTION[known]) return `${CONNECTION[known]} (${known})`;
  return `${message}${known ? ` (${known})` : ''}`.slice(0, 300);
}

const TRIES = 3;

/** Tries again what a bad line or a busy place may have cost; what the place refused for good is not asked twice. */
export async function patiently<T>(
  { backoffMs = 2000 }: Patience,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (error) {
      const local =
        (error as NodeJS.ErrnoException).syscall && (error as { code?: string }).code === 'ENOENT';
      const final = local || (error as { final?: boolean }).final;
      if (final || tried === TRIES || signal?.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, backoffMs * 4 ** (tried - 1)));
    }
  }
}

/** Aborts when nothing has moved for so long: a copy over a slow line may take hours, a silent one must not. */
export function hush(ms: number, outer?: AbortSignal) {
  const own = new AbortController();
  let timer: NodeJS.Timeout;
  const moved = () => {
    clearTimeout(timer);
    timer = setTimeout(() => own.abort(new OffsiteFault(`it was silent for ${Math.round(ms / 1000)} s`)), ms);
  };
  moved();
  return {
    signal: outer ? AbortSignal.any([own.signal, outer]) : own.signal,
    moved,
    end: () => clearTimeout(timer),
  };
}
