// Group commit: gathers what arrives together, writes it in few, spaced, bounded writes, and answers each item for itself.
// Knows nothing about events. Why it is so, with figures: docs/decisions/0001-group-commit.md.

export class BatcherFull extends Error {}
export class BatcherClosed extends Error {}

interface Entry<Item, Result> {
  item: Item;
  bytes: number;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

export interface BatcherOptions<Item, Result> {
  /** Stores the items; answers one result for each, in order. Throws when the write as a whole failed. */
  write: (items: Item[]) => Promise<Result[]>;
  /** Tells a fault of some item (halve the batch until it stands alone) from one of the connection (all fail). */
  isFaultOfAnItem: (error: unknown) => boolean;
  rowsPerWriteMax: number;
  /** So many are worth a write of their own, however recent the last one. */
  rowsWorthAWrite: number;
  queuedRowsMax: number;
  queuedBytesMax: number;
  /** Least distance between the starts of two writes, so that trickling requests share commits. */
  spacingMs: number;
  writesInFlightMax: number;
}

export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  #queue: Entry<Item, Result>[] = [];
  #bytes = 0;
  #inFlight = 0;
  #lastStart = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #startsSoon = false;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
  }

  get depth(): { rows: number; bytes: number; inFlight: number } {
    return { rows: this.#queue.length, bytes: this.#bytes, inFlight: this.#inFlight };
  }

  get isFull(): boolean {
    return this.#queue.length >= this.#options.queuedRowsMax || this.#bytes >= this.#options.queuedBytesMax;
  }

  /**
   * Joins the batch that is gathering; resolves after it was committed.
   * bytes   what the item weighs in the queue's bound
   * throws  BatcherFull at once when the queue is full, BatcherClosed after close()
   */
  add(item: Item, bytes: number): Promise<Result> {
    if (this.#closed) return Promise.reject(new BatcherClosed());
    if (this.isFull) return Promise.reject(new BatcherFull());
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#queue.push({ item, bytes, resolve, reject });
    this.#bytes += bytes;
    this.#arrange();
    return promise;
  }

  /** Takes nothing more in; resolves when everything that was taken in has been answered. */
  close(): Promise<void> {
    this.#closed = true;
    this.#lastStart = Number.NEGATIVE_INFINITY;
    this.#cancelTimer();
    this.#arrange();
    if (this.#queue.length === 0 && this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #cancelTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arrange(): void {
    if (this.#queue.length === 0 || this.#inFlight >= this.#options.writesInFlightMax) return;
    const wait = this.#closed ? 0 : this.#lastStart + this.#options.spacingMs - performance.now();
    if (wait <= 0 || this.#queue.length >= this.#options.rowsWorthAWrite) {
      if (this.#startsSoon) return;
      this.#startsSoon = true;
      this.#cancelTimer();
      // Even when nothing has to be waited for: requests read in the same turn of the loop share the write.
      setImmediate(() => this.#start());
    } else if (!this.#startsSoon) {
      this.#timer ??= setTimeout(() => this.#start(), wait);
    }
  }

  #start(): void {
    this.#startsSoon = false;
    this.#timer = null;
    const batch = this.#take();
    this.#lastStart = performance.now();
    this.#inFlight += 1;
    void this.#write(batch).finally(() => {
      this.#inFlight -= 1;
      this.#arrange();
      if (this.#queue.length === 0 && this.#inFlight === 0) for (const wake of this.#idle.splice(0)) wake();
    });
    this.#arrange();
  }

  #take(): Entry<Item, Result>[] {
    const batch = this.#queue.splice(0, this.#options.rowsPerWriteMax);
    for (const entry of batch) this.#bytes -= entry.bytes;
    return batch;
  }

  async #write(batch: Entry<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#options.write(batch.map((entry) => entry.item));
      for (const [i, entry] of batch.entries()) entry.resolve(results[i]!);
    } catch (error) {
      if (batch.length > 1 && this.#options.isFaultOfAnItem(error)) {
        const half = batch.length >> 1;
        await this.#write(batch.slice(0, half));
        await this.#write(batch.slice(half));
      } else {
        for (const entry of batch) entry.reject(error);
      }
    }
  }
}
