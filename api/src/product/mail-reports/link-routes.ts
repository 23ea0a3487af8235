// The links of mails to recipients: say yes, or leave. Looking writes nothing; one press, or RFC 8058's one click, does.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import type { Call } from '../../ground/http/call.ts';
import { html } from '../../ground/http/html.ts';
import { page } from '../../ground/http/page.ts';
import type { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import type { Site, SiteDirectory } from '../../ground/site.ts';
import { wordsOf } from '../../ground/words/words.ts';
import { linkQuery, spokenLink } from '../consent/link-page.ts';
import { type SenderDefaults, senderOf } from '../sites/sender.ts';
import { confirmRecipient, leaveRecipients } from './recipients.ts';
import { type ReportWords, reportWords } from './words.ts';

export interface LinkNeeds {
  db: Pool;
  sites: Pick<SiteDirectory, 'find'>;
  senderDefaults: SenderDefaults;
  /** Path of the journal of what was forgotten. */
  forgetJournal: string;
}

const SHOW = { at: 'GET /v1/report-mails/:token', tells: 'link' } as const;
const CONFIRM = { at: 'POST /v1/report-mails/:token', tells: 'link' } as const;
const SHOW_LEAVE = { at: 'GET /v1/report-mails/:token/leave', tells: 'link' } as const;
const LEAVE = { at: 'POST /v1/report-mails/:token/leave', tells: 'link' } as const;
export const reportTells = [SHOW, CONFIRM, SHOW_LEAVE, LEAVE];

const page404 = { 404: { says: 'No link of ours', type: 'text/html' } } as const;
const takesPress = {
  as: ['text'],
  bytesMax: 4096,
  optional: true,
  documents: z.object({ 'List-Unsubscribe': z.string().optional() }),
} as const;

export function reportLinkRoutes({ db, sites, senderDefaults, forgetJournal }: LinkNeeds): Route[] {
  const common = { tag: 'reports', who: 'anyone' } as const;
  const name = (site: Site) => senderOf(site, senderDefaults).name;
  const asks = (
    call: Call,
    lang: unknown,
    title: keyof ReportWords,
    says: 'pageSays' | 'leaveSays',
    button: keyof ReportWords,
  ) => {
    const found = spokenLink(sites, call, lang);
    if (!found) return lost(call);
    const w = reportWords[call.language];
    return page(
      call,
      200,
      String(w[title]),
      html`<p>${w[says](name(found.site))}</p><form method="post"><button type="submit">${String(w[button])}</button></form>`,
    );
  };
  const press = async (
    call: Call,
    act: (siteId: string, key: string) => Promise<boolean>,
    [title, says]: ['welcome', 'welcomeSays'] | ['left', 'leftSays'],
  ) => {
    const found = spokenLink(sites, call, new URLSearchParams(call.querystring).get('lang'));
    if (!found || !(await act(found.site.siteId, found.key))) return lost(call);
    const w = reportWords[call.language];
    return page(call, 200, w[title], html`<p>${w[says]}</p>`);
  };
  return [
    route({
      ...common,
      ...SHOW,
      id: 'showMailRecipient',
      says: 'A page that asks whether reports about a site are wanted; writes nothing',
      takes: { as: 'query', shape: linkQuery },
      answers: { 200: { says: 'The page', type: 'text/html' }, ...page404 },
      run: ({ lang }, call) => asks(call, lang, 'pageTitle', 'pageSays', 'askButton'),
    }),
    route({
      ...common,
      ...CONFIRM,
      id: 'confirmMailRecipient',
      says: 'Says yes to reports and warnings about a site; who left comes back',
      takes: takesPress,
      answers: { 200: { says: 'Confirmed', type: 'text/html' }, ...page404 },
      run: (_input, call) =>
        press(call, (siteId, key) => confirmRecipient(db, siteId, key), ['welcome', 'welcomeSays']),
    }),
    route({
      ...common,
      ...SHOW_LEAVE,
      id: 'showLeaveMailReports',
      says: 'A page that asks whether the mails shall end; writes nothing',
      takes: { as: 'query', shape: linkQuery },
      answers: { 200: { says: 'The page', type: 'text/html' }, ...page404 },
      run: ({ lang }, call) => asks(call, lang, 'leaveTitle', 'leaveSays', 'leaveButton'),
    }),
    route({
      ...common,
      ...LEAVE,
      id: 'endMailReports',
      says: 'Ends reports and warnings about a site to this recipient at once; also RFC 8058 one-click',
      takes: takesPress,
      answers: { 200: { says: 'Ended', type: 'text/html' }, ...page404 },
      run: (_input, call) =>
        press(call, (siteId, key) => leaveRecipients(db, siteId, key, forgetJournal), ['left', 'leftSays']),
    }),
  ];
}

function lost(call: Call): Reply {
  return page(
    call,
    404,
    wordsOf(call.language).linkBroken,
    html`<p>${reportWords[call.language].broken}</p>`,
  );
}
