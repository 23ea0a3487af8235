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
  /**
   * Tells a fault of some item from one of the connection: in which parts to try the failed items again (halves, until the
   * one at fault stands alone); null: all of them fail.
   */
  apart: (error: unknown, items: Item[]) => Item[][] | null | Promise<Item[][] | null>;
  rowsPerWriteMax: number;
  /** So many are worth a write of their own, however recent the last one. */
  rowsWorthAWrite: number;
  queuedRowsMax: number;
  queuedBytesMax: number;
  /**
   * Least distance between the starts of two writes, so that trickling requests share commits: after a write of one row, and
   * at most. In between it is as many times the first as the last write had rows.
   */
  spacingMs: { alone: number; max: number };
  /** When so many wait and for `stillMs` no other came, nobody else is on the way: what waits is written. */
  stillRows: number;
  stillMs: number;
  writesInFlightMax: number;
}

export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  #queue: Entry<Item, Result>[] = [];
  #bytes = 0;
  #inFlight = 0;
  #lastStart = Number.NEGATIVE_INFINITY;
  #lastRows = 1;
  #timer: NodeJS.Timeout | null = null;
  #stillTimer: NodeJS.Timeout | null = null;
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
    if (this.#stillTimer !== null) clearTimeout(this.#stillTimer);
    this.#timer = null;
    this.#stillTimer = null;
  }

  get #spacing(): number {
    const { alone, max } = this.#options.spacingMs;
    return Math.min(alone * this.#lastRows, max);
  }

  #arrange(): void {
    const waiting = this.#queue.length;
    if (waiting === 0 || this.#startsSoon || this.#inFlight >= this.#options.writesInFlightMax) return;
    if (this.#closed || waiting >= this.#options.rowsWorthAWrite) {
      this.#startSoon();
      return;
    }
    if (this.#timer === null) {
      const wait = this.#lastStart + this.#spacing - performance.now();
      if (wait <= 0) {
        this.#startSoon();
        return;
      }
      this.#timer = setTimeout(() => this.#start(), wait);
    }
    if (waiting >= this.#options.stillRows && this.#stillTimer === null) this.#watch(waiting);
  }

  #watch(waiting: number): void {
    this.#stillTimer = setTimeout(() => {
      if (this.#queue.length > waiting) this.#watch(this.#queue.length);
      else this.#start();
    }, this.#options.stillMs);
  }

  #startSoon(): void {
    this.#startsSoon = true;
    this.#cancelTimer();
    // Even when nothing has to be waited for: requests read in the same turn of the loop share the write.
    setImmediate(() => this.#start());
  }

  #start(): void {
    this.#startsSoon = false;
    this.#cancelTimer();
    const batch = this.#take();
    this.#lastStart = performance.now();
    this.#lastRows = batch.length;
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
      for (let i = 0; i < batch.length; i += 1) batch[i]!.resolve(results[i]!);
    } catch (error) {
      const parts = batch.length > 1 ? await this.#partsOf(batch, error) : null;
      for (const part of parts ?? []) await this.#write(part);
      if (parts === null) for (const entry of batch) entry.reject(error);
    }
  }

  async #partsOf(batch: Entry<Item, Result>[], error: unknown): Promise<Entry<Item, Result>[][] | null> {
    const items = batch.map((entry) => entry.item);
    const parts = await Promise.resolve(this.#options.apart(error, items)).catch(() => null);
    if (parts === null) return null;
    const entryOf = new Map(batch.map((entry) => [entry.item, entry]));
    return parts.filter((part) => part.length > 0).map((part) => part.map((item) => entryOf.get(item)!));
  }
}

/** The parts in which what some item is at fault for is tried again. */
export const halves = <Item>(items: Item[]): Item[][] => [
  items.slice(0, items.length >> 1),
  items.slice(items.length >> 1),
];
