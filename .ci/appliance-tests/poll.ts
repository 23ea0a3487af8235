// Somebody who knocks at port 443 all the time: does anybody open?
import { request } from 'node:https';

/** Ten times a second, each time by a new connection, until stopped. */
export class Poll {
  /** What connections came to that got no answer, by their error: ECONNREFUSED is a closed port. */
  readonly faults: string[] = [];
  readonly statuses: number[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #asked: Promise<void>[] = [];

  constructor(door: { address?: string; https: number }) {
    this.#timer = setInterval(
      () => this.#asked.push(this.#ask(door.address ?? '127.0.0.1', door.https)),
      100,
    ).unref();
  }

  #ask(host: string, port: number): Promise<void> {
    return new Promise((done) => {
      const asked = request(
        {
          host,
          port,
          servername: 'localhost',
          path: '/v1/healthz',
          agent: false,
          headers: { host: 'localhost' },
        },
        (answer) => {
          this.statuses.push(answer.statusCode!);
          answer.resume().on('end', done).on('error', done);
        },
      );
      asked.on('error', (error: NodeJS.ErrnoException) => {
        this.faults.push(error.code ?? error.message);
        done();
      });
      asked.end();
    });
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#asked);
  }
}
