// One call of the API: the facts of its request, typed and made once, and what its route learns on the way.
import { randomUUID } from 'node:crypto';
import type { Context } from 'koa';
import type { Site } from '../site.ts';
import { acceptedLanguage, type Language, languageOf } from '../words/language.ts';
import { type Caller, NOBODY } from './caller.ts';
import type { Client, IdentifyClient } from './client.ts';
import type { Route } from './route.ts';

/** Whom or what an administrator's action was about; for the audit log, so ids and counts, never an address. */
export interface About {
  siteId?: string;
  target?: string | null;
  details?: Record<string, unknown>;
}

const PURPOSE_HEADERS = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'];
const PREFETCH = /prefetch|prerender|preview/i;
const NO_PARAMS: Record<string, string> = {};
const NO_FILES: readonly string[] = [];
const NO_SITES: readonly (About & { siteId: string })[] = [];

export class Call {
  readonly id = randomUUID();
  readonly began = performance.now();
  readonly receivedMs = Date.now();
  route: Route | null = null;
  /** The route's pattern, never the URL: a path can hold a token, a query an address. */
  pattern = 'none';
  caller: Caller = NOBODY;
  /** Of the path, as ids and keys. */
  params: Record<string, string> = NO_PARAMS;
  /** As sent, cleaned; what `takes.shape` made of it is the route's input. */
  body: unknown;
  bodyBytes = 0;
  isForm = false;
  /** Names of the fields of a form that held a file: no file is kept. */
  droppedFiles: readonly string[] = NO_FILES;
  /**
   * How many things this call still stands for when it is refused as a whole (0: they were counted already), and the
   * site that pays for the refusal, once known.
   */
  refused: { items: number; siteId: string | undefined } = { items: 1, siteId: undefined };
  about: About | null = null;
  /** Of what concerned several sites: a line for each, so that whoever answers for one has it in theirs. */
  aboutSites: readonly (About & { siteId: string })[] = NO_SITES;
  errorCode: string | undefined;
  /** Where a person came from, when it is a page of the site's own. */
  pageBefore: string | undefined;
  /** Key of the site that pages for people are about, whose notice they lead to. */
  noticeOf: string | undefined;
  #site: Site | undefined;
  #siteIds: string[] | undefined;
  #client: Client | undefined;
  #languages: { consent?: Language | undefined; site?: Language | undefined } | undefined;
  #isInner = false;
  readonly #ctx: Context;
  readonly #identify: IdentifyClient;

  constructor(ctx: Context, identify: IdentifyClient) {
    this.#ctx = ctx;
    this.#identify = identify;
  }

  /** '' when absent. */
  header(name: string): string {
    const value = this.#ctx.req.headers[name];
    return typeof value === 'string' ? value : (value?.join(', ') ?? '');
  }
  get headers() {
    return this.#ctx.req.headers;
  }
  get querystring(): string {
    return this.#ctx.querystring;
  }
  /** scheme://host as the client wrote it. */
  get origin(): string {
    return `${this.#ctx.protocol}://${this.#ctx.host}`;
  }
  get client(): Client {
    this.#client ??= this.#identify(this.#ctx.req);
    return this.#client;
  }
  get receivedAt(): Date {
    return new Date(this.receivedMs);
  }
  /** Global Privacy Control or Do Not Track. */
  get privacySignal(): boolean {
    const { headers } = this.#ctx.req;
    return headers['sec-gpc'] === '1' || headers.dnt === '1';
  }
  /** Served like GET; a person's browser does not ask like this. */
  get isHead(): boolean {
    return this.#ctx.req.method === 'HEAD';
  }
  /** A person looks at the answer: a browser that goes to an address asks for HTML, and never gets JSON. */
  get readsPages(): boolean {
    return /\btext\/html\b|\bapplication\/xhtml\+xml\b/i.test(this.header('accept'));
  }
  /** A script reads the answer: it asks for JSON, or is one that sends as scripts do. */
  get readsJson(): boolean {
    if (this.readsPages) return false;
    if (/\bapplication\/(?:[\w.-]+\+)?json\b/i.test(this.header('accept'))) return true;
    // fetch and XMLHttpRequest ask for anything unless they are told; a form's answer is for a document
    return this.header('sec-fetch-dest') === 'empty' || this.header('x-requested-with') === 'XMLHttpRequest';
  }
  get isPrefetch(): boolean {
    const { headers } = this.#ctx.req;
    return PURPOSE_HEADERS.some((name) => headers[name] !== undefined && PREFETCH.test(this.header(name)));
  }
  /** Lets the script of the page that sent this read the answer, although no site lists its origin (cors.ts). */
  letPageRead(): void {
    const { origin } = this.headers;
    if (origin) this.#ctx.set('Access-Control-Allow-Origin', origin);
  }
  /** This call for another route, of the same caller: what a route does for its part of a larger question. */
  within(route: Route, params: Record<string, string>, body: unknown): Call {
    const inner = new Call(this.#ctx, this.#identify);
    inner.#isInner = true;
    inner.route = route;
    inner.caller = this.caller;
    inner.params = params;
    inner.body = body;
    return inner;
  }
  /**
   * Whether the client has the answer with this tag. Not Koa's ctx.fresh: fetch sends Cache-Control: no-cache along
   * with If-None-Match.
   */
  isFresh(etag: string): boolean {
    if (this.#isInner) return false; // the tag would be that of the larger answer
    const weak = (tag: string) => tag.replace(/^W\//, '');
    return this.header('if-none-match').split(/,\s*/).map(weak).includes(weak(etag));
  }
  /** The best of these encodings for the client; undefined when it takes none. */
  acceptsEncoding<T extends string>(among: readonly T[]): T | undefined {
    return among.find((one) => this.#ctx.acceptsEncodings(one));
  }

  /** The site this call is for; by the route's `of`. */
  get site(): Site {
    if (!this.#site)
      throw new Error(`${this.route?.id ?? 'this call'} is for no site: its route says no "of"`);
    return this.#site;
  }
  set site(site: Site) {
    this.#site = site;
    this.refused.siteId = site.siteId;
    this.speaksFor(site);
    this.note({ siteId: site.siteId });
  }
  /** Notes whose page it is that a person will see. */
  speaksFor({ key, settings }: Pick<Site, 'key' | 'settings'>): void {
    this.noticeOf = key;
    this.languages.site = languageOf(settings);
  }
  /** What else than the browser says in which language its person reads: the consent before the site. */
  get languages(): { consent?: Language | undefined; site?: Language | undefined } {
    this.#languages ??= {};
    return this.#languages;
  }
  /** In which a person is answered. */
  get language(): Language {
    const { consent, site } = this.languages;
    return consent ?? site ?? acceptedLanguage(this.header('accept-language')) ?? 'en';
  }

  /** Every site of the caller; of a route whose `of` is "all". */
  get siteIds(): string[] {
    if (!this.#siteIds)
      throw new Error(`${this.route?.id ?? 'this call'} is not for all sites of its caller`);
    return this.#siteIds;
  }
  set siteIds(siteIds: string[]) {
    this.#siteIds = siteIds;
  }

  /** Notes whom this was about; what was noted before stays unless it is named again. */
  note(about: About): void {
    this.about = { ...this.about, ...about };
  }
  /** Notes whom this was about on each site; what a line leaves open is as note() said. Replaces what was noted so before. */
  noteSites(lines: readonly (About & { siteId: string })[]): void {
    this.aboutSites = lines;
  }
}

/** The only reader of ctx.state: the outermost layer makes the call there (request-log.ts). */
export const callOf = (ctx: Context): Call => ctx.state.call;
