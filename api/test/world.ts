// A small world, made by real calls: sites with a lead, a visitor, something in quarantine, a breach, and so on.
import assert from 'node:assert/strict';
import { linkToken } from '../src/product/consent/link.ts';
import { makeEvent } from './make.ts';
import {
  addTotp,
  beginTotp,
  newOwner,
  resetToken,
  type SignedIn,
  signedIn,
  signIn,
  signUpWith,
} from './people.ts';
import { admin, call, type TestServer } from './server.ts';

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
  /** Of the link by which the site's own people keep their visits apart. */
  staffToken: string;
  quarantineIds: [string, string];
  breachId: string;
  requestId: string;
  /** Of a program's key to this site. */
  keyId: string;
  /** Who signs in: an owner of everything, in four browsers, and another one. */
  owner: string;
  password: string;
  sessions: SignedIn[];
  partner: SignedIn;
  inviteToken: string;
  /** Who looks at its numbers; and two invitations, one of which is taken back. */
  viewer: SignedIn;
  invitationId: string;
  /** Three in whose accounts a second factor was begun (with its secret), is set up, and is to be removed; a link for a password. */
  beginner: SignedIn;
  begun: string;
  factored: SignedIn;
  removing: SignedIn;
  resetToken: string;
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

async function makeSite(
  server: TestServer,
  key: string,
): Promise<Pick<Place, 'siteId' | 'textId' | 'staffToken'>> {
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
  const { url } = await ask(server, `POST /v1/sites/${site.siteId}/staff-link`);
  return { siteId: site.siteId, textId: text.textId, staffToken: url.split('/').at(-1) };
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
  const { siteId, textId, staffToken } = await makeSite(server, key);
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
  const { request } = await ask(server, 'POST /v1/admin/requests', {
    propertyId: key,
    kind: 'portability',
    email: lead.email,
    note: `A letter to the ${key}.`,
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
  const made = await ask(server, 'POST /v1/keys', {
    name: `The ${key}'s till`,
    scopes: ['ingest'],
    sites: [key],
  });
  const owner = `owner@${key}.example`;
  const password = `rye, oats and a ${key}`;
  const sessions = [await newOwner(server, owner, password)];
  for (let i = 0; i < 3; i += 1) sessions.push(await signIn(server, owner, password));
  const partner = await newOwner(server, `partner@${key}.example`, password);
  const invite = async (): Promise<{ token: string; invitationId: string }> => {
    const { link, invitation } = await ask(server, 'POST /v1/invitations', { role: 'viewer', sites: [key] });
    return { token: link.split('/').at(-1), invitationId: invitation.invitationId };
  };
  const viewer = signedIn(
    await signUpWith(server, (await invite()).token, `viewer@${key}.example`, password),
  );
  const owners: SignedIn[] = []; // one after the other: a new link ends the one before
  for (const name of ['beginner', 'factored', 'removing'])
    owners.push(await newOwner(server, `${name}@${key}.example`, password));
  const [beginner, factored, removing] = owners as [SignedIn, SignedIn, SignedIn];
  const begun = await beginTotp(server, beginner);
  for (const one of [factored, removing]) await addTotp(server, one);
  const { full } = await ask(server, 'GET /s.json');
  const place: Place = {
    siteId,
    key,
    today,
    textId,
    staffToken,
    ...lead,
    visitorId,
    mergedVisitorId,
    strangerId: await browser(server, key, `${key}-browser-3`),
    leaving,
    requestId: request.requestId,
    botId,
    keyId: made.key.keyId,
    owner,
    password,
    sessions,
    partner,
    inviteToken: (await invite()).token,
    viewer,
    beginner,
    begun,
    factored,
    removing,
    resetToken: await resetToken(server, `factored@${key}.example`),
    invitationId: (await invite()).invitationId,
    quarantineIds: await makeQuarantined(server, key),
    breachId: breach.breachId,
    script: full.path.replace('/s/', ''),
  };
  await ask(server, 'POST /v1/admin/jobs/rollup');
  await ask(server, 'POST /v1/admin/jobs/ledger', { propertyId: key });
  return place;
}
