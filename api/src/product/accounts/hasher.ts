// Passwords as argon2id with a pepper: one at a time, because each takes 19 MB and, on an eighth of a core, a quarter of a
// second; few wait, the others are told to come back.
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { AppError } from '../../ground/lib/app-error.ts';

const WAITING_MAX = 8;
// OWASP's first choice for argon2id
const COST = { memory: 19_456, passes: 2, parallelism: 1 };
const TAG_BYTES = 32;

interface Cost {
  memory: number;
  passes: number;
  parallelism: number;
}

type Verify = (password: string, phc: string | null) => Promise<boolean>;

export interface Hasher {
  /** returns  the PHC string to keep. throws  unavailable with Retry-After while too many wait */
  hash(password: string): Promise<string>;
  /** phc  null: there is nobody, and that takes just as long. throws  unavailable */
  verify: Verify;
  /**
   * Takes one of the places before anything else is done for whoever comes, and gives it back when the work ends: the database is
   * asked for as many at once as there are places. throws  unavailable, before the work begins
   */
  placed<T>(work: (verify: Verify) => Promise<T>): Promise<T>;
  /** Takes none: for whoever has not sent their password yet, and shall not for nothing. throws  unavailable, as the others would */
  mustHavePlace(): void;
  /** For the meters. */
  readonly depth: { running: number; waiting: number };
}

const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

const plain = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');

function write(salt: Buffer, tag: Buffer): string {
  const { memory, passes, parallelism } = COST;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${plain(salt)}$${plain(tag)}`;
}

function read(phc: string): { cost: Cost; salt: Buffer; tag: Buffer } {
  const [, m, t, p, salt, tag] = PHC.exec(phc) ?? [];
  if (!salt || !tag) throw new Error('not a hash of ours');
  return {
    cost: { memory: Number(m), passes: Number(t), parallelism: Number(p) },
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

export function makeHasher(pepper: Buffer): Hasher {
  let taken = 0;
  let isBusy = false;
  const line: (() => void)[] = [];

  function mustHavePlace(): void {
    if (taken > WAITING_MAX)
      throw new AppError('unavailable', 'Many people sign in at this moment. Try again in a few seconds.', {
        retryAfterSeconds: 3,
      });
  }

  async function placed<T>(work: (verify: Verify) => Promise<T>): Promise<T> {
    mustHavePlace();
    taken += 1;
    try {
      return await work(verify);
    } finally {
      taken -= 1;
    }
  }

  /** Of those that have a place. */
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (isBusy) await new Promise<void>((mine) => line.push(mine));
    isBusy = true;
    try {
      return await work();
    } finally {
      const next = line.shift();
      if (next)
        next(); // it stays busy, so that nobody comes between
      else isBusy = false;
    }
  }

  const derive = (password: string, nonce: Buffer, cost: Cost) =>
    new Promise<Buffer>((done, fail) =>
      argon2(
        'argon2id',
        { ...cost, message: password, nonce, tagLength: TAG_BYTES, secret: pepper },
        (error, tag) => (error ? fail(error) : done(tag)),
      ),
    );

  const verify: Verify = (password, phc) =>
    inTurn(async () => {
      const { cost, salt, tag } = phc
        ? read(phc)
        : { cost: COST, salt: randomBytes(16), tag: randomBytes(TAG_BYTES) };
      const given = await derive(password, salt, cost);
      return given.length === tag.length && timingSafeEqual(given, tag);
    });

  return {
    get depth() {
      return { running: Number(isBusy), waiting: taken - Number(isBusy) };
    },
    mustHavePlace,
    placed,
    hash: (password) =>
      placed(() =>
        inTurn(async () => {
          const salt = randomBytes(16);
          return write(salt, await derive(password, salt, COST));
        }),
      ),
    verify: (password, phc) => placed(() => verify(password, phc)),
  };
}
