// Takes one submission of a page: reads it, judges it, stores it or keeps it in the journal, and answers.
import type { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import { asAppError } from '../../ground/http/errors.ts';
import type { Reply } from '../../ground/http/reply.ts';
import { AppError, type Issue } from '../../ground/lib/app-error.ts';
import { atTick } from '../../ground/lib/tick.ts';
import type { Site } from '../../ground/site.ts';
import { readLanguage } from '../../ground/words/language.ts';
import { type FindText, unknownText } from '../consent/texts.ts';
import type { CustomFields } from '../custom-fields/known.ts';
import { type Fitted, fitFields } from '../custom-fields/values.ts';
import type { DayRoom } from '../events/day-room.ts';
import type { DaySalts } from '../events/day-visitor.ts';
import { type CountryOf, requestFacts } from '../events/enrich.ts';
import type { Ledger } from '../events/ledger.ts';
import { judgeOrigin } from '../events/origins.ts';
import { readUserAgent } from '../events/user-agent.ts';
import { formLanguage } from '../sites/language.ts';
import type { Sites } from '../sites/recognise.ts';
import { mustBeHere } from '../sites/stops.ts';
import { type Capture, type CaptureSettings, emailHash, makeCapture, pretendedCapture } from './capture.ts';
import type { JudgeChallenge } from './challenge.ts';
import { domainClass } from './domains.ts';
import type { CaptureLimits } from './limits.ts';
import { mendAddressPage, sendOn } from './pages.ts';
import { safeRedirect } from './redirect.ts';
import { type CaptureInput, type capturedShape, readCapture } from './schema.ts';
import { shed } from './shed.ts';
import { judgeFormToken, SUSPICIOUS_FROM, spamScore } from './spam.ts';
import type { Leads } from './start.ts';
import type { Captured } from './store.ts';

export interface CaptureNeeds {
  sites: Sites;
  customFields: Pick<CustomFields, 'of'>;
  ledger: Ledger;
  countryOf: CountryOf | null;
  daySalts: DaySalts;
  dayRoom: DayRoom;
  /** Whether the disk is nearly full. */
  disk: { readonly isShort: boolean };
  captureLimits: CaptureLimits;
  judgeChallenge: JudgeChallenge;
  capture: Leads['capture'];
  settings: CaptureSettings;
  findText: FindText;
}

type Fields = Record<string, unknown>;

/** Something more than a lead that takes the same road: sifted, kept in the journal and stored with the lead. */
export interface Errand {
  /** Of the form, where it has none. */
  formName: string;
  /** The path that takes it. */
  at: string;
  /** throws  invalid_request for what it cannot be without */
  read(input: CaptureInput): { warnings: Issue[]; add(capture: Capture, site: Site): Capture };
}

export const CAPTURE_BYTES_MAX = 16 * 1024;
/** Forms send their files along, a photograph or a curriculum vitae: they are dropped as they come. */
export const FILES_BYTES_MAX = 10 * 1024 * 1024;
const TYPED_BYTES_MAX = 16 * 1024;

/** A mistyped address on a form is mended on a page that keeps the rest; counted here, since it ends here. */
export async function receive(needs: CaptureNeeds, call: Call, errand?: Errand): Promise<object | Reply> {
  try {
    return await take(needs, call, call.body as Fields, errand);
  } catch (thrown) {
    if (!call.isForm || call.readsJson) throw thrown;
    const { sites, ledger } = needs;
    const error = asAppError(thrown);
    const site = sites.find(call.refused.siteId ?? '') ?? sites.fallback();
    call.speaksFor(site);
    const page = pageOf(call);
    if (page && site.origins.includes(new URL(page).origin)) call.pageBefore = page;
    if (!error.issues?.some(({ path }) => path === 'email')) throw error; // the frame shows it
    call.errorCode = error.code;
    ledger.refuse({
      siteId: site.siteId,
      route: 'capture',
      reason: error.code,
      issues: error.issues,
      from: call.client.limitKey,
    });
    call.refused.items = 0;
    return mendPage(call, site, page, errand?.at ?? '/v1/leads/capture');
  }
}

async function take(
  needs: CaptureNeeds,
  call: Call,
  sent: Fields,
  errand: Errand | undefined,
): Promise<object | Reply> {
  const body = errand ? { ...sent, formName: sent.formName || errand.formName } : sent;
  const { sites } = needs;
  const named = body.propertyId;
  call.languages.consent = formLanguage(body);
  call.refused.siteId = sites.list().find((site) => site.key === named)?.siteId;
  if (isHoneypotHit(body)) return pretend(needs, call, body);
  // the site first: a mistyped address on a form leads back to that site's own page
  const ofOrigin = typeof named === 'string' ? null : await sites.ofPage(call.headers);
  call.refused.siteId ??= ofOrigin?.siteId;
  const read = readCapture(body, call.isForm);
  const site = ofOrigin ?? (await sites.ofPage(call.headers, read.input.propertyId));
  call.refused.siteId = site.siteId;
  call.speaksFor(site);
  mustBeHere(sites, site.siteId);
  judgePage(needs, call, site);
  needs.captureLimits.take(call.client.address);
  const run = errand?.read(read.input);
  const { input, warnings } = withRoom(needs, call, site, read);
  // what it is about lies in what was typed
  if (run && input !== read.input)
    throw new AppError('unavailable', 'There is no room for it at the moment. Try again in a minute.', {
      retryAfterSeconds: 60,
    });
  const fitted = fitFields(needs.customFields.of(site.siteId, 'form'), input.payload ?? {}, 'payload');
  const text = readText(needs, call, site, input);
  // judged by all that was typed, also by what is left out
  const judged = withFields(await judge(needs, call, site, input), fitted);
  const request = run ? run.add(judged, site) : judged;
  const { visitorId, sessionId } = await keep(needs, call, request);
  call.refused.items = 0; // counted with what was stored
  await atTick(call.began);
  const answer = { submissionId: request.submission_id, visitorId, sessionId };
  const all = [...warnings, ...fitted.warnings, ...(run?.warnings ?? []), ...(await text)];
  return answerOf(call, answer, all, () => targetOf(input, site, pageOf(call)));
}

/** The published text that is named: its language is its reader's. Whether there is one is told to whoever sends this. */
async function readText(
  { findText }: CaptureNeeds,
  call: Call,
  site: Site,
  { consent }: Partial<CaptureInput>,
): Promise<Issue[]> {
  if (!consent?.textId || consent.given === false) return [];
  const text = await findText(site.siteId, consent.textId);
  call.languages.consent ??= readLanguage(text?.language);
  return text === null ? [unknownText(Boolean(consent.text))] : [];
}

/**
 * Nothing is taken from a stranger's page; a person's form whose browser keeps the page to itself (`Origin: null`, which
 * a Referrer-Policy of no-referrer makes of it) may well be the site's own, and a lead is not lost for it.
 */
function judgePage(needs: CaptureNeeds, call: Call, site: Site): void {
  if (call.isForm && !call.readsJson && call.headers.origin === 'null') return;
  judgeOrigin(needs, call, site);
}

/** All of it where there is room; a lead is taken on a full disk too, without what was typed beside its address. */
function withRoom(needs: CaptureNeeds, call: Call, site: Site, read: ReturnType<typeof readCapture>) {
  const { disk, dayRoom, captureLimits } = needs;
  const client = call.client.limitKey;
  const bytes = Math.min(call.bodyBytes, TYPED_BYTES_MAX); // files are dropped
  const hasRoom =
    !disk.isShort &&
    captureLimits.hasRoom(client, bytes) &&
    dayRoom.hasRoomForWords(site.siteId, client, bytes);
  if (hasRoom) return read;
  const { input, warnings } = shed(read.input);
  return { input, warnings: [...read.warnings, ...warnings] };
}

const isHoneypotHit = ({ honeypot }: Fields) =>
  [honeypot].flat().some((text) => typeof text === 'string' && text.trim() !== '');

/** A person is sent on; a script, also one that sends a form, is told. */
function answerOf(
  call: Call,
  answer: z.output<typeof capturedShape>,
  warnings: Issue[],
  target: () => string | null,
): z.output<typeof capturedShape> | Reply {
  if (call.isForm && !call.readsJson) return sendOn(target(), call);
  const dropped = call.droppedFiles.map((path) => ({ path, message: 'left out: no files are kept' }));
  const all = [...warnings, ...dropped];
  return {
    ...answer,
    ...(call.privacySignal && { privacySignal: 'honoured' as const }),
    ...(all.length > 0 && { warnings: all }),
  };
}

/** An answer like any other, after the same time, for something that is not stored. */
async function pretend(needs: CaptureNeeds, call: Call, body: Fields): Promise<object | Reply> {
  const { sites, ledger } = needs;
  const site = sites.find(call.refused.siteId ?? '') ?? (await sites.ofPage(call.headers));
  ledger.refuse({ siteId: site.siteId, route: 'capture', reason: 'honeypot', from: call.client.limitKey });
  call.refused.items = 0;
  call.speaksFor(site);
  const { input, warnings } = readAnyway(body, call.isForm);
  const text = await readText(needs, call, site, input);
  await atTick(call.began);
  const answer = pretendedCapture(site.siteId, input.anonId);
  return answerOf(call, answer, [...warnings, ...text], () => targetOf(input, site, pageOf(call)));
}

/** A robot's submission as it would have been read; of one with a fault what answers need. */
function readAnyway(body: Fields, isForm: boolean): { input: Partial<CaptureInput>; warnings: Issue[] } {
  try {
    return readCapture(body, isForm);
  } catch {
    return { input: {}, warnings: [] };
  }
}

/** What is stored of a submission: with its signs of spam, when they are enough to hold it back. */
async function judge(needs: CaptureNeeds, call: Call, site: Site, input: CaptureInput): Promise<Capture> {
  const { captureLimits, judgeChallenge, settings, countryOf, daySalts } = needs;
  const { client, receivedAt } = call;
  const facts = requestFacts(call, site, countryOf);
  if (!input.anonId)
    facts.dayVisitor =
      daySalts.known(client, site.siteId, call.receivedMs) ??
      // the lead is taken all the same, without a visit
      (await daySalts.find(client, site.siteId, call.receivedMs).catch(() => undefined));
  const { score, signs } = spamScore({
    formToken: judgeFormToken(settings.pepper, input.formToken, receivedAt.getTime()),
    challenge: await judgeChallenge(input.challengeToken, client.address),
    isDisposable: domainClass(input.email.domain) === 'disposable',
    isBotAgent: readUserAgent(client.userAgent).isBot,
    hasUserAgent: client.userAgent !== '',
    isPrefetch: facts.prefetch,
    tooMany: captureLimits.tooMany(
      site.siteId,
      emailHash(settings.pepper, site.siteId, input.email.normalized),
      input.consent?.given === false ? undefined : input.consent?.text,
    ),
    payload: input.payload,
  });
  const suspicions = score >= SUSPICIOUS_FROM ? signs : [];
  return makeCapture(input, site, facts, { receivedAt, page: pageOf(call), score, suspicions }, settings);
}

/** What was typed, as the site's own fields have it. */
const withFields = (request: Capture, { sent, values }: Fitted): Capture => ({
  ...request,
  payload: Object.keys(sent).length > 0 ? sent : null,
  ...(Object.keys(values).length > 0 ? { fields: values } : {}),
});

/** In the journal it waits for the database: the answer says what is known of it already. */
async function keep(
  { capture }: CaptureNeeds,
  call: Call,
  request: Capture,
): Promise<Pick<Captured, 'visitorId' | 'sessionId'>> {
  const captured = await capture(request, call.id);
  if (captured !== 'journalled') return captured;
  return { visitorId: request.event?.visitor_id ?? null, sessionId: null };
}

/** The page a form was on: its Referer, or its Origin where the page keeps its path to itself. */
const pageOf = (call: Call): string | undefined =>
  [call.header('referer'), call.header('origin')].find(
    (url) => url !== '' && url !== 'null' && URL.canParse(url),
  );

/** Where a form would like its person to go next. */
interface Wishes {
  redirect?: string | undefined;
  path?: string | undefined;
}
const targetOf = ({ redirect, path }: Wishes, site: Site, page: string | undefined): string | null =>
  safeRedirect(redirect, site.origins, page, path) ?? safeRedirect(path, site.origins, page);

function mendPage(call: Call, site: Site, page: string | undefined, at: string): Reply {
  const body = call.body as Fields;
  const wanted = [body.redirect, body.path].find((value) => typeof value === 'string' && value !== '');
  return mendAddressPage(call, body, {
    propertyId: site.key,
    redirect: safeRedirect(wanted as string | undefined, site.origins, page),
    formTargets: site.origins,
    at,
  });
}
