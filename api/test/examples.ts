// A small world, made by real calls, and one valid call of every operation in it: what the tests that walk the routes send.
import assert from 'node:assert/strict';
import { linkToken } from '../src/product/consent/link.ts';
import { makeEvent } from './make.ts';
import { admin, call, type TestServer } from './server.ts';

/** One call of an operation; at most one of body, form and csv. */
export interface Example {
  path?: Record<string, string>;
  query?: Record<string, string | number | boolean>;
  body?: Record<string, unknown>;
  form?: Record<string, string>;
  csv?: string;
}

/** One site and what happened there. Its key stands in every text of it, so that a stranger's eye finds it. */
export interface Place {
  siteId: string;
  key: string;
  /** ISO day on which all of it happened. */
  today: string;
  textId: string;
  /** Ada, who left her address in a form, as the browser that sent it; and who is asked to confirm it. */
  email: string;
  leadId: string;
  anonId: string;
  visitorId: string;
  unsubscribeToken: string;
  confirmToken: string;
  /** A second browser that was said to be hers, and a third that nobody was said to be. */
  mergedVisitorId: string;
  strangerId: string;
  /** A lead that is only there to be erased. */
  leaving: string;
  botId: string;
  quarantineIds: [string, string];
  breachId: string;
  /** `<hash>.js` of the script. */
  script: string;
}

/** A server whose sites may ask for a second step of an opt-in; nobody listens there, and no job sends. */
export const WORLD_SETTINGS = {
  SMTP_URL: 'smtp://127.0.0.1:9',
  MAIL_FROM: 'mail@marketing.example',
  PUBLIC_URL: 'https://marketing.example',
};

async function ask(server: TestServer, at: string, body?: unknown) {
  const [method, path] = at.split(' ') as [string, string];
  const answer = await call(server.url + path, method, body, admin);
  assert.ok(answer.status < 400, `${at}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function makeSite(server: TestServer, key: string): Promise<Pick<Place, 'siteId' | 'textId'>> {
  const { site } = await ask(server, 'POST /v1/sites', {
    key,
    name: `The ${key}`,
    domain: `${key}.example`,
    origins: [`https://${key}.example`],
    settings: { doubleOptIn: true, senderAddress: `1 ${key} Lane, Toronto`, policyVersion: `${key} 1` },
  });
  const { text } = await ask(server, `POST /v1/sites/${site.siteId}/consent-texts`, {
    name: `${key} news`,
    words: `The ${key} may write to me.`,
  });
  return { siteId: site.siteId, textId: text.textId };
}

async function makeLead(server: TestServer, key: string, textId: string) {
  const { url, database } = server;
  const page: Record<string, string> = {
    origin: `https://${key}.example`,
    'content-type': 'application/x-www-form-urlencoded',
  };
  const email = `ada@${key}.example`;
  const anonId = `${key}-browser-1`;
  const form = new URLSearchParams({
    email,
    anonId,
    propertyId: key,
    path: `/${key}`,
    message: `Do you, ${key}, bake rye bread?`,
    consentStatus: 'express',
    'consent[textId]': textId,
  });
  const sent = await call(`${url}/v1/leads/capture`, 'POST', form.toString(), page);
  assert.equal(sent.status, 303);
  // what only her mails hold
  const { rows } = await database.owner.query(
    'select site_id, lead_id, unsubscribe_key, token from leads join opt_ins using (site_id, lead_id) where email = $1',
    [email],
  );
  const { site_id: siteId, lead_id: leadId, unsubscribe_key: key1, token } = rows[0];
  return {
    email,
    anonId,
    leadId: leadId as string,
    unsubscribeToken: linkToken(siteId, key1),
    confirmToken: linkToken(siteId, token),
  };
}

const browser = async (server: TestServer, key: string, anonId: string): Promise<string> =>
  (await ask(server, 'POST /v1/events', makeEvent({ anonId, propertyId: key, path: `/${key}` }))).visitorId;

/** Two submissions that wait for a decision. */
async function makeQuarantined(server: TestServer, key: string): Promise<[string, string]> {
  for (const name of ['cheap', 'dear'])
    await ask(server, 'POST /v1/leads/capture', {
      email: `${name}@${key}.example`,
      anonId: `${key}-${name}-browser`,
      propertyId: key,
      payload: { message: `<a href="https://${key}.example">${name}</a>` },
    });
  const { quarantined } = await ask(server, `GET /v1/admin/quarantine?propertyId=${key}`);
  return quarantined.map(({ quarantineId }: { quarantineId: string }) => quarantineId);
}

export async function makePlace(server: TestServer, key: string): Promise<Place> {
  const today = new Date().toISOString().slice(0, 10);
  const { siteId, textId } = await makeSite(server, key);
  const visitorId = await browser(server, key, `${key}-browser-1`);
  const lead = await makeLead(server, key, textId);
  const mergedVisitorId = await browser(server, key, `${key}-browser-2`);
  await ask(server, 'POST /v1/identities/merge', {
    leadId: lead.leadId,
    visitorId: mergedVisitorId,
    propertyId: key,
  });
  const leaving = `leaving@${key}.example`;
  await ask(server, 'POST /v1/leads/capture', {
    email: leaving,
    anonId: `${key}-leaving`,
    propertyId: key,
  });
  const botId = await browser(server, key, `${key}-robot-1`);
  await ask(server, 'POST /v1/admin/bots', { visitorId: botId, bot: true, propertyId: key });
  const { breach } = await ask(server, 'POST /v1/admin/breaches', {
    propertyId: key,
    title: `A laptop of the ${key} was lost`,
    description: `The ${key} had it in the van.`,
    discoveredAt: new Date().toISOString(),
  });
  await ask(server, 'POST /v1/ad-spend', {
    propertyId: key,
    rows: [{ day: today, source: `${key} paper`, campaign: `${key} spring`, amount: 12.5, currency: 'CAD' }],
  });
  await ask(server, 'POST /v1/conversions', {
    propertyId: key,
    id: `${key}-1`,
    kind: 'signup',
    email: lead.email,
  });
  const { full } = await ask(server, 'GET /s.json');
  const place: Place = {
    siteId,
    key,
    today,
    textId,
    ...lead,
    visitorId,
    mergedVisitorId,
    strangerId: await browser(server, key, `${key}-browser-3`),
    leaving,
    botId,
    quarantineIds: await makeQuarantined(server, key),
    breachId: breach.breachId,
    script: full.path.replace('/s/', ''),
  };
  await ask(server, 'POST /v1/admin/jobs/rollup');
  await ask(server, 'POST /v1/admin/jobs/ledger', { propertyId: key });
  return place;
}

/** By operation; the first of several is the plainest. Each may be called once, in this order: the last ones end something. */
export function examplesOf(place: Place): Record<string, Example[]> {
  const { key, siteId, today, email, leadId, anonId } = place;
  const propertyId = key;
  const window = { from: today, to: today, propertyId };
  const path = { siteId: key };
  const report = (more: Example['query'] = {}): Example[] => [
    { query: { ...window, ...more } },
    { query: { ...window, ...more, propertyId: siteId, format: 'csv' } },
  ];
  const captured = { anonId: `${key}-browser-4`, propertyId, path: `/${key}` };
  const link = { leadId, visitorId: place.strangerId, propertyId };
  const order = { kind: 'purchase', anonId, amount: '19.90', currency: 'CAD' };
  const spent = { day: today, source: `${key} radio`, campaign: '', amount: 7, currency: 'CAD' };
  return {
    isAlive: [{}],
    isReady: [{}],
    getHealth: [{}],
    getScript: [{}],
    getCoreScript: [{}],
    describeScripts: [{}],
    getScriptVersion: [{ path: { file: place.script } }],
    getOpenApi: [{}],

    storeEvents: [
      { body: makeEvent({ anonId, propertyId, props: { size: 'L', slices: [1, 2] } }) },
      { body: { events: [makeEvent({ anonId, propertyId }), makeEvent({ anonId, propertyId })] } },
    ],
    showPixel: [{ query: { propertyId, path: `/${key}`, utm_source: `${key} mail` } }],
    captureLead: [
      { body: { ...captured, email: `bob@${key}.example`, payload: { wish: 'rye', loaves: 2 } } },
      { form: { ...captured, email: `cem@${key}.example`, utm_source: `${key} mail`, wish: 'rye' } },
    ],
    showThankYou: [{}],
    makeFormToken: [{}],
    showUnsubscribe: [{ path: { token: place.unsubscribeToken } }],
    showPrivacy: [{ query: { propertyId } }],
    showConfirm: [{ path: { token: place.confirmToken } }],
    confirmAddress: [{ path: { token: place.confirmToken } }],

    listSites: [{}],
    createSite: [
      { body: { key: `${key}-branch`, name: `The ${key} at the station`, settings: { till: 3 } } },
    ],
    getSite: [{ path }, { path: { siteId } }],
    updateSite: [{ path, body: { domain: `${key}.example`, settings: { till: 4, policyUrl: null } } }],
    listRefusedOrigins: [{ path }, { path: { siteId } }],
    listConsentTexts: [{ path: { siteId } }, { path, query: { limit: 5 } }],
    publishConsentText: [{ path, body: { name: `${key} news`, words: `The ${key} may write, and phone.` } }],

    listLeads: [
      { query: { propertyId, limit: 10 } },
      { query: { propertyId: siteId, consent: 'pending', from: today, to: today } },
    ],
    searchLeads: [{ body: { propertyId, q: 'ada@', limit: 10 } }],
    exportLeads: [{ query: { propertyId } }],
    importLeads: [
      { body: { propertyId, dryRun: true, csv: `email\ndan@${key}.example\n` } },
      { body: { propertyId, csv: `email\ndan@${key}.example\n` } },
    ],
    getLead: [{ path: { leadId } }],
    getConsentEvidence: [{ path: { leadId } }],
    mergeIdentity: [{ body: link }, { body: { email, anonId: `${key}-browser-3`, propertyId } }],
    tellConversions: [
      { body: { ...order, id: `${key}-2`, propertyId } },
      { body: { conversions: [{ ...order, id: `${key}-3` }], propertyId } },
      { body: { id: `${key}-4`, kind: 'activation', email, propertyId } },
    ],
    storeAdSpend: [
      { body: { propertyId, rows: [spent] } },
      {
        query: { propertyId },
        csv: `day,source,campaign,amount,currency\n${today},${key} radio,,8,CAD\n`,
      },
    ],
    listAdSpend: [{ query: { ...window, limit: 10 } }],

    getMetricsSummary: report({ compareTo: 'yes' }),
    getMetricsTimeseries: report({ interval: 'week' }),
    getMetricsBreakdown: [...report({ by: 'sources', limit: 5 }), ...report({ by: 'spend' })],
    getMetricsCohorts: report({ weeks: 4 }),
    getMetricsAttribution: report({ of: 'signup' }),
    getMetricsQuality: report(),
    getMetricsLeads: report({ limit: 10 }),
    getMetricsRealtime: [{ query: { propertyId } }, { query: { propertyId: siteId, format: 'csv' } }],

    judgeVisitor: [
      { body: { propertyId, visitorId: place.botId, bot: true } },
      { body: { propertyId, anonId: `${key}-robot-2`, bot: true } },
    ],
    listBotVerdicts: [{ query: { propertyId } }],
    listQuarantined: [{ query: { propertyId, limit: 10 } }, {}],
    releaseQuarantined: [{ path: { quarantineId: place.quarantineIds[0] } }],
    dropQuarantined: [{ path: { quarantineId: place.quarantineIds[1] } }],

    listBreaches: [{}],
    registerBreach: [
      {
        body: {
          propertyId,
          title: `A list of the ${key} was sent to the wrong address`,
          description: 'Forty addresses.',
          discoveredAt: `${today}T09:30:00.000Z`,
          affectedCount: 40,
        },
      },
    ],
    updateBreach: [{ path: { breachId: place.breachId }, body: { measures: 'It was locked.' } }],
    listAuditEntries: [{ query: { limit: 500 } }],

    getStatus: [{}],
    getMeters: [{}],
    listJobs: [{}],
    listJobRuns: [{ path: { job: 'rollup' }, query: { limit: 5 } }, { path: { job: 'ledger' } }],
    runJob: [
      { path: { job: 'ledger' }, body: { from: today, to: today, propertyId } },
      { path: { job: 'ledger' } },
    ],

    exportSubject: [{ body: { email, propertyId } }],
    unmergeIdentity: [{ body: { leadId, visitorId: place.mergedVisitorId, propertyId } }],
    unsubscribeByAddress: [
      { body: { email: `bob@${key}.example`, propertyId } },
      { form: { email: `cem@${key}.example`, propertyId } },
    ],
    unsubscribeByLink: [{ path: { token: place.unsubscribeToken } }],
    eraseSubject: [{ body: { email: place.leaving, propertyId } }],
  };
}
