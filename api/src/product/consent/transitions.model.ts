// What the contract says of consent, once more and without a database: what the ledger is compared with (walks.test.ts).
// Times are milliseconds.
import {
  Address,
  addMonths,
  type Basis,
  DAY,
  isSame,
  type Lead,
  latest,
  MINUTE,
  newLead,
  PURPOSES,
  type Purpose,
  type Request,
  type Said,
  type Stand,
  type Status,
  termOf,
} from './transitions-parts.model.ts';

export class Person {
  lead: Lead | null = null;
  /** The one they are known by, and one that they may be corrected to. */
  #address = new Address();
  #other = new Address();
  #purchases: number[] = [];
  /** Somebody else had this address until then. */
  #leftAt: number | null = null;

  /** Whether what a browser does may join them: neither mails nor, as a part of all, the profile stands withdrawn. */
  get mayBeTied(): boolean {
    return this.lead !== null && this.lead.leftAll === null && this.#stand('email')?.status !== 'withdrawn';
  }

  /** Where a purpose stands at a moment, by the clock. */
  statusOf(purpose: Purpose, at: number): Status {
    const stand = this.#stand(purpose);
    if (!stand) return 'pending';
    return stand.status === 'implied' && stand.until! <= at ? 'expired' : stand.status;
  }

  #stand(purpose: Purpose): Stand | undefined {
    const lead = this.lead!;
    if (lead.stands.has(purpose)) return lead.stands.get(purpose);
    if (lead.leftAll === null) return undefined;
    return { status: 'withdrawn', at: lead.leftAll, until: null, words: null, policy: null };
  }

  #begin(corrected?: Person): void {
    this.lead = newLead();
    this.#recall(corrected);
  }

  /** What the address asked for while it was nobody's, and who was corrected from it took back. */
  #recall(corrected?: Person): void {
    const known = latest(this.#address.unsubscribed, corrected?.takenBack);
    for (const what of ['all', ...PURPOSES] as const)
      if (known.has(what)) this.#withdrawn([what] as Purpose[] | ['all'], known.get(what)!);
  }

  /** What stands withdrawn, and since when. */
  get takenBack(): Map<Purpose | 'all', number> {
    const stands = PURPOSES.filter((purpose) => this.lead!.seen.has(purpose)).map(
      (purpose) => [purpose, this.#stand(purpose)] as const,
    );
    const taken = stands.flatMap(([purpose, stand]) =>
      stand?.status === 'withdrawn' ? [[purpose, stand.at] as const] : [],
    );
    return new Map<Purpose | 'all', number>(
      this.lead!.leftAll === null ? taken : [['all', this.lead!.leftAll], ...taken],
    );
  }

  /** Somebody new at the other address: what becomes of them if a list from before names it. */
  newcomer(): Person {
    const newcomer = new Person();
    newcomer.#address = this.#other;
    newcomer.#leftAt = this.lead?.correctedAt ?? null;
    newcomer.#begin(newcomer.#leftAt === null ? undefined : this);
    return newcomer;
  }

  #write(purpose: Purpose, stand: Stand): void {
    const lead = this.lead!;
    lead.records += 1;
    lead.seen.add(purpose);
    lead.asked.delete(purpose);
    lead.stands.set(purpose, stand);
  }

  #pending({ purposes, words, policy }: Said, at: number, basis: Basis): void {
    for (const purpose of purposes) {
      const newest = this.lead!.asked.get(purpose) ?? this.#stand(purpose);
      const now = this.#stand(purpose) && this.statusOf(purpose, at);
      const isOther = (words !== null || policy !== null) && !isSame(newest, { words, policy });
      if (newest && (basis === 'import' || (now ?? 'pending') !== 'pending' || !isOther)) continue;
      if (basis === 'import') this.#write(purpose, { status: 'pending', at, until: null, words, policy });
      else {
        this.lead!.records += 1;
        this.lead!.seen.add(purpose);
        this.lead!.asked.set(purpose, { words, policy, isAsking: false });
      }
    }
  }

  #implied(
    said: Said,
    at: number,
    basis: Basis,
    kind: 'inquiry' | 'purchase',
    realNow: number,
    stated?: number,
  ): void {
    const { purposes, words, policy } = said;
    const until = Math.min(stated ?? Number.POSITIVE_INFINITY, addMonths(at, termOf(kind)));
    const isOver = until <= realNow;
    if (isOver && basis !== 'import') return;
    for (const purpose of purposes) {
      const stand = this.#stand(purpose);
      const now = stand ? this.statusOf(purpose, at) : undefined;
      if (isOver) {
        if (!stand || now === 'pending')
          this.#write(purpose, { status: 'expired', at, until, words, policy });
      } else if (now === 'withdrawn' || now === 'express') continue;
      else if (now === 'implied') {
        const isLonger = until > stand!.until! + DAY;
        const isOther = (words !== null || policy !== null) && !isSame(stand, said) && at >= stand!.at;
        if (isLonger || isOther)
          this.#write(purpose, {
            status: 'implied',
            at,
            until: isLonger ? until : Math.max(until, stand!.until!),
            words,
            policy,
          });
      } else this.#write(purpose, { status: 'implied', at, until, words, policy });
    }
  }

  #express(said: Said, at: number, basis: Basis, began = at): void {
    const { purposes, words, policy } = said;
    for (const purpose of purposes) {
      const stand = this.#stand(purpose);
      const now = stand ? this.statusOf(purpose, at) : undefined;
      if (now === 'withdrawn' && Math.min(at, began) <= stand!.at) continue;
      if (now === 'express' && (isSame(stand, said) || (basis === 'import' && at <= stand!.at))) continue;
      this.#write(purpose, { status: 'express', at, until: null, words, policy });
    }
  }

  /** Nothing is mailed twice in ten minutes for the same, nor more than five times a day. */
  #ask(said: Said, at: number, token: string): void {
    const lead = this.lead!;
    const purposes = said.purposes.filter((purpose) => {
      const stand = this.#stand(purpose);
      return !(stand?.status === 'express' && isSame(stand, said));
    });
    if (purposes.length === 0) return;
    for (const purpose of purposes) {
      const asked = lead.asked.get(purpose);
      if (asked?.isAsking && isSame(asked, said)) continue;
      lead.records += 1;
      lead.seen.add(purpose);
      lead.asked.set(purpose, { words: said.words, policy: said.policy, isAsking: true });
    }
    const lately = lead.requests.filter((one) => one.at > at - DAY);
    const isAsked = lately.some(
      (one) =>
        one.state === 'open' &&
        one.at > at - 10 * MINUTE &&
        isSame(one, said) &&
        purposes.every((purpose) => one.purposes.includes(purpose)),
    );
    if (isAsked || lately.length >= 5) return;
    lead.requests.push({ ...said, purposes, token, at, state: 'open' });
    lead.mails += 1;
  }

  #withdrawn(what: Purpose[] | ['all'], at: number): void {
    const lead = this.lead!;
    const awaits = (purpose?: Purpose) =>
      lead.requests.some(
        (one) => one.state === 'open' && one.at <= at && (!purpose || one.purposes.includes(purpose)),
      );
    const gone = (): Stand => ({ status: 'withdrawn', at, until: null, words: null, policy: null });
    const known = [...lead.seen];
    const isLater = (purpose: Purpose) => {
      const stand = this.#stand(purpose);
      return stand !== undefined && ['express', 'withdrawn'].includes(stand.status) && stand.at > at;
    };
    if (what[0] === 'all') {
      if (known.some(isLater)) {
        for (const purpose of known)
          if (this.#stand(purpose)?.status !== 'withdrawn' && !isLater(purpose)) this.#write(purpose, gone());
      } else if (
        lead.leftAll === null ||
        awaits() ||
        known.some((purpose) => this.#stand(purpose)?.status !== 'withdrawn')
      ) {
        lead.records += 1;
        lead.leftAll = at;
        lead.stands.clear();
        lead.asked.clear();
      }
    } else
      for (const purpose of what as Purpose[]) {
        const stand = this.#stand(purpose);
        if (stand?.status === 'express' && stand.at > at) continue;
        if (stand?.status === 'withdrawn' && (!awaits(purpose) || stand.at >= at)) continue;
        this.#write(purpose, gone());
      }
    for (const one of lead.requests)
      if (
        one.state === 'open' &&
        one.purposes.every((purpose) => {
          const stand = this.#stand(purpose);
          return stand?.status === 'withdrawn' && stand.at >= one.at;
        })
      )
        one.state = 'cancelled';
  }

  #adopt(capturedAt: number, realNow: number): void {
    for (const at of this.#purchases.filter((one) => one >= capturedAt).sort((a, b) => a - b))
      this.#implied({ purposes: ['email'], words: null, policy: null }, at, 'purchase', 'purchase', realNow);
    this.#purchases = [];
  }

  capture(
    status: 'pending' | 'implied' | 'express',
    said: Said,
    at: number,
    realNow: number,
    token: string | null,
  ) {
    if (this.#address.erasedAt !== null && this.#address.erasedAt >= at) return;
    const isNew = this.lead === null;
    if (isNew) this.#begin();
    if (status === 'pending' || (status === 'express' && said.words === null))
      this.#pending(said, at, 'form');
    else if (status === 'implied') this.#implied(said, at, 'form', 'inquiry', realNow);
    else if (token) this.#ask(said, at, token);
    else this.#express(said, at, 'form');
    if (isNew) this.#adopt(at, realNow);
  }

  /** returns  what the page says */
  confirm(request: Request, at: number): 'confirmed' | 'expired' | 'unknown' {
    if (!this.lead?.requests.includes(request)) return 'unknown';
    if (request.state === 'confirmed') return 'confirmed';
    if (request.state === 'cancelled' || request.at < at - 14 * DAY) return 'expired';
    request.state = 'confirmed';
    this.#express(request, at, 'double_opt_in', request.at);
    return 'confirmed';
  }

  purchase(at: number, realNow: number): void {
    if (!this.lead) this.#purchases.push(at);
    else
      this.#implied({ purposes: ['email'], words: null, policy: null }, at, 'purchase', 'purchase', realNow);
  }

  withdraw(what: Purpose[] | ['all'], at: number, isByAddress: boolean): void {
    if (isByAddress) this.#address.unsubscribe(what, at);
    if (this.lead) this.#withdrawn(what, at);
  }

  /** By the other address, which is nobody's. */
  withdrawElsewhere(what: Purpose[] | ['all'], at: number): void {
    this.#other.unsubscribe(what, at);
  }

  /** Their address is corrected to the other one. */
  rectify(at: number): void {
    [this.#address, this.#other] = [this.#other, this.#address];
    this.lead!.correctedAt = at;
    this.#recall();
  }

  /** Told to the operator, who writes it down. */
  grant(
    status: 'express' | 'implied',
    said: Said,
    at: number,
    kind: 'inquiry' | 'purchase',
    realNow: number,
  ): void {
    if (!this.lead) return;
    if (status === 'express') this.#express(said, at, 'admin');
    else this.#implied(said, at, 'admin', kind, realNow);
  }

  /** returns  whether the row is refused */
  carryIn(
    row: {
      status: Status;
      at: number | null;
      kind: 'inquiry' | 'purchase';
      until: number | undefined;
      /** Of a withdrawal: it names no purpose. */
      isOfAll: boolean;
    } & Said,
    now: number,
    realNow: number,
  ): boolean {
    const claims = row.status === 'express' || row.status === 'implied';
    const { erasedAt } = this.#address;
    if (erasedAt !== null) {
      const isOver =
        row.status === 'implied' &&
        row.at !== null &&
        Math.min(row.until ?? Number.POSITIVE_INFINITY, addMonths(row.at, termOf(row.kind))) <= realNow;
      if (!claims || row.at === null || row.at <= erasedAt || isOver) return true;
    }
    const isOld = this.#leftAt !== null && !(claims && row.at !== null && row.at > this.#leftAt);
    if (isOld && row.status !== 'withdrawn') return true;
    const at = row.at ?? now;
    const isNew = this.lead === null;
    if (isNew) this.#begin();
    if (row.status === 'express') this.#express(row, at, 'import');
    else if (row.status === 'implied') this.#implied(row, at, 'import', row.kind, realNow, row.until);
    else if (row.status === 'withdrawn') this.#withdrawn(row.isOfAll ? ['all'] : row.purposes, at);
    else this.#pending(row, at, 'import');
    if (isNew) this.#adopt(at, realNow);
    return false;
  }

  expire(at: number): void {
    if (!this.lead) return;
    for (const purpose of PURPOSES) {
      const stand = this.#stand(purpose);
      if (stand?.status === 'implied' && stand.until! <= at)
        this.#write(purpose, { status: 'expired', at, until: null, words: null, policy: null });
    }
  }

  /** By every address they had. */
  erase(at: number): void {
    if (this.lead?.correctedAt) this.#other.erasedAt = at;
    this.lead = null;
    this.#purchases = [];
    this.#address.erasedAt = at;
  }

  /** By the other address, which is nobody's. */
  eraseElsewhere(at: number): void {
    this.#other.erasedAt = at;
  }
}
