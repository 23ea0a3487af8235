// A small world, made by real calls: sites with a lead, a visitor, something in quarantine, a breach, and so on.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { linkToken, newKey } from '../src/product/consent/link.ts';
import { hashOfKey } from '../src/product/your-data/links.ts';
import { makeAuthenticator } from './authenticator.ts';
import { makeEvent } from './make.ts';
import {
  addPasskey,
  addTotp,
  beginTotp,
  emailToken,
  newOwner,
  passkeyOptions,
  resetToken,
  type SignedIn,
  signedIn,
  signIn,
  signUpWith,
  trySignIn,
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
  /** A lead that is only there to be erased, and the certificate of one that was. */
  leaving: string;
  erasureId: string;
  /** A visit of a browser that nobody was said to be. */
  sessionId: string;
  /** Of a link that shows a person their own data, and of one that confirms another person's new address. */
  ownDataToken: string;
  /** A report by mail, and the link of who gets it. */
  mailReportId: string;
  alertRuleId: string;
  /** An import that is not finished, and one that is only there to be undone. */
  importId: string;
  undoneImportId: string;
  mailRecipientId: string;
  mailRecipientToken: string;
  newAddressToken: string;
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
  /** Of a program that signed in as the owner. */
  refreshToken: string;
  /** Of two shared views: one without a password, one with, which is to be ended. */
  shareToken: string;
  lockedShareToken: string;
  shareId: string;
  /** An endpoint of another system, one that a program made for itself, and something that was sent to the first. */
  webhookId: string;
  spareWebhookId: string;
  integrationId: string;
  spareIntegrationId: string;
  customFieldId: string;
  spareCustomFieldId: string;
  /** That something was deployed, and another one to be deleted. */
  segmentId: string;
  spareSegmentId: string;
  noteId: string;
  spareNoteId: string;
  /** What Ada wrote about the bread, with her permission to publish it. */
  reviewId: string;
  hookId: string;
  deliveryId: string;
  /** A template, another one to be deleted, a notification, and another one to be deleted. */
  templateId: string;
  spareTemplateId: string;
  notificationId: string;
  spareNotificationId: string;
  /** Tests of three more: a draft, and two that run. */
  abDraftId: string;
  abTestId: string;
  abEndingId: string;
  /** A message that is shown, and its receipt. */
  messageId: string;
  receipt: string;
  /** Of a mail to another address of the partner's. */
  emailToken: string;
  /** Of the removing one, to be renamed and removed; what another device made, and what was signed to sign in, and for the factored one's proof. */
  passkeyId: string;
  newPasskey: object;
  passkeySignIn: object;
  passkeyProof: object;
  /** `<hash>.js` of the script. */
  script: string;
  /** A file of the dashboard. */
  dashboardFile: string;
}

/** As much of a provider of sign-ins as says where its pages are. */
const provider = createServer((_request, response) => {
  const issuer = WORLD_SETTINGS.OIDC_ISSUER;
  const endpoints = { authorization_endpoint: `${issuer}/in`, token_endpoint: `${issuer}/token` };
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ issuer, ...endpoints }));
});
await new Promise<void>((done) => provider.listen(0, '127.0.0.1', done));
provider.unref();

/** A server whose sites may ask for a second step of an opt-in; nobody listens there, and no job sends. */
export const WORLD_SETTINGS = {
  SMTP_URL: 'smtp://127.0.0.1:9',
  MAIL_FROM: 'mail@marketing.example',
  PUBLIC_URL: 'https://marketing.example',
  OIDC_ISSUER: `http://127.0.0.1:${(provider.address() as AddressInfo).port}`,
  OIDC_CLIENT_ID: 'marketing',
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
    settings: {
      doubleOptIn: true,
      senderAddress: `1 ${key} Lane, Toronto`,
      policyVersion: `${key} 1`,
      feedStream: true,
    },
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
  const choice = {
    choiceId: `${key}-choice`,
    mode: 'full',
    words: `May the ${key} know you?`,
    language: 'en',
  };
  const chose = await call(
    `${url}/v1/choices`,
    'POST',
    { ...choice, anonId, propertyId: key },
    { origin: page.origin! },
  );
  assert.equal(chose.status, 200);
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

/** A lead with a link that only a mail to them would hold; mailTo: the address that the link confirms. */
async function makeOwnDataLink(
  server: TestServer,
  key: string,
  siteId: string,
  name: string,
  mailTo?: string,
) {
  const email = `${name}@${key}.example`;
  await ask(server, 'POST /v1/leads/capture', { email, propertyId: key, anonId: `${key}-${name}-browser` });
  const half = newKey();
  await server.database.owner.query(
    `insert into your_data_links (site_id, kind, email_normalized, mail_to, email_hash, asked_by, language, token_hash, expires_at, next_attempt_at)
     values ($1, $2, $3, $4, '\\x00', '\\x00', 'en', $5, now() + interval '1 hour', null)`,
    [siteId, mailTo ? 'address' : 'look', email, mailTo ?? null, hashOfKey(half)],
  );
  return linkToken(siteId, half);
}

async function makeMailReport(server: TestServer, key: string, siteId: string) {
  const { report } = await ask(server, `POST /v1/sites/${siteId}/reports`, {
    every: 'month',
    recipients: [`reader@${key}.example`],
  });
  const { recipientId } = report.recipients[0].recipient;
  const { rows } = await server.database.owner.query(
    'select link_key from mail_recipients where recipient_id = $1',
    [recipientId],
  );
  const { rule } = await ask(server, `POST /v1/sites/${siteId}/alert-rules`, {
    kind: 'silence',
    channels: [{ mail: `reader@${key}.example` }],
  });
  return {
    alertRuleId: rule.ruleId,
    mailReportId: report.reportId,
    mailRecipientId: recipientId,
    mailRecipientToken: linkToken(siteId, rows[0].link_key),
  };
}

/** A day in a bucket that nobody names any more, and it asked back: by the job, that does not run here. */
async function makeArchive(server: TestServer, siteId: string): Promise<void> {
  await server.database.owner.query(
    `insert into archives (site_id, day, file, rows, bytes, sha256, schema_version, raw_rows, raw_sum, visitors)
     values ($1, '2026-01-05', $2, 3, 1000, sha256('x'), 1, 3, 0, '')`,
    [siteId, `events_${siteId}_2026-01-05_20260405T034000000Z.parquet`],
  );
  await server.database.owner.query(
    `insert into restored_events (site_id, event_id, visitor_id, session_id, day, site_day, occurred_at, received_at, event_type, path, clamped,
       privacy_signal, is_conversion)
     values ($1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '2026-01-04', '2026-01-04', '2026-01-04T10:00Z', '2026-01-04T10:00Z',
       'page_view', '/', false, false, false)`,
    [siteId],
  );
  await ask(server, `POST /v1/sites/${siteId}/archives/restore`, { from: '2026-01-05', to: '2026-01-06' });
}

async function makeImport(server: TestServer, key: string, n: number): Promise<string> {
  const files = [{ name: `${key}-${n}.csv`, sha256: `${n}`.repeat(64) }];
  const body = { source: 'plausible', files, timezone: 'America/Toronto' };
  return (await ask(server, `POST /v1/sites/${key}/imports`, body)).import.importId;
}

const visit = (server: TestServer, key: string, anonId: string) =>
  ask(server, 'POST /v1/events', makeEvent({ anonId, propertyId: key, path: `/${key}` }));
const browser = async (server: TestServer, key: string, anonId: string): Promise<string> =>
  (await visit(server, key, anonId)).visitorId;

/** Somebody who left an address and was erased. */
async function makeErasure(server: TestServer, key: string): Promise<string> {
  const email = `left@${key}.example`;
  await ask(server, 'POST /v1/leads/capture', { email, anonId: `${key}-left`, propertyId: key });
  return (await ask(server, 'POST /v1/leads/delete', { email, propertyId: key })).erasureId;
}

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
  await makeArchive(server, siteId);
  // before anybody agrees: who did so earlier read other words
  await ask(server, `PATCH /v1/sites/${key}`, { settings: { visitorScores: true } });
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
    // what no file of theirs answers: it stays open
    kind: 'restriction',
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
  await ask(server, 'POST /v1/admin/jobs/profiles');
  const owner = `owner@${key}.example`;
  const password = `rye, oats and a ${key}`;
  const sessions = [await newOwner(server, owner, password)];
  for (let i = 0; i < 3; i += 1) sessions.push(await signIn(server, owner, password));
  const program = await trySignIn(server, owner, password, { as: 'token' });
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
  const device = makeAuthenticator(WORLD_SETTINGS.PUBLIC_URL);
  const { passkeyId } = await addPasskey(server, removing, device, `A telephone of the ${key}`);
  const proving = makeAuthenticator(WORLD_SETTINGS.PUBLIC_URL);
  await addPasskey(server, factored, proving);
  const { body: begunPasskey } = await call(
    `${server.url}/v1/users/me/passkeys/options`,
    'POST',
    undefined,
    removing.headers,
  );
  const share = (more: object) =>
    ask(server, `POST /v1/sites/${siteId}/shares`, { name: `Those who look at the ${key}`, ...more });
  const opened = await share({});
  const locked = await share({ password });
  const look = async () =>
    (await ask(server, `POST /v1/sites/${siteId}/templates`, { name: `As the ${key}` })).template.templateId;
  const notification = async () =>
    (
      await ask(server, `POST /v1/sites/${siteId}/notifications`, {
        kind: 'count',
        name: `Buyers of the ${key}`,
        claim: { of: 'purchases' },
        texts: { en: { other: `{count} people bought at the ${key} in {days} days` } },
      })
    ).notification.notificationId;
  const abTest = async (starts: boolean) => {
    const tests = `/v1/sites/${siteId}/ab-tests`;
    const { test } = await ask(server, `POST ${tests}`, {
      notificationId: await notification(),
      variants: [{ key: 'warm' }],
      goal: { of: 'purchases' },
    });
    if (starts) await ask(server, `POST ${tests}/${test.testId}/start`);
    return test.testId;
  };
  const hooks = { types: ['conversion.recorded'], url: `https://hooks.${key}.example/` };
  const { webhook } = await ask(server, `POST /v1/sites/${siteId}/webhooks`, hooks);
  const tested = await ask(server, `POST /v1/sites/${siteId}/webhooks/${webhook.webhookId}/test`);
  const { webhook: spareWebhook } = await ask(server, `POST /v1/sites/${siteId}/webhooks`, {
    ...hooks,
    types: ['plan.warning'],
  });
  const hook = { target_url: hooks.url, type: 'conversion.recorded', propertyId: key };
  const { id: hookId } = await ask(server, 'POST /v1/hooks', hook);
  const { notification: message } = await ask(server, `POST /v1/sites/${siteId}/notifications`, {
    kind: 'message',
    name: `The ${key} says`,
    channels: ['page'],
    source: { url: `https://${key}.example/about`, statedOn: '2026-01-31' },
    texts: { en: { other: `The ${key} is open on Sundays` } },
  });
  await call(
    `${server.url}/v1/sites/${siteId}/notifications/${message.notificationId}`,
    'PATCH',
    { status: 'running' },
    { ...admin, 'if-match': '"1"' },
  );
  const feed = await ask(server, `GET /v1/feed?site=${key}`);
  const { integration } = await ask(server, `POST /v1/sites/${siteId}/integrations`, {
    kind: 'shopify',
    secret: `hush, ${key}`,
  });
  const { integration: spareIntegration } = await ask(server, `POST /v1/sites/${siteId}/integrations`, {
    kind: 'stripe',
    secret: `whsec_spare_${key}`,
  });
  const customField = async (name: string) => {
    const at = `POST /v1/sites/${siteId}/custom-fields`;
    return (await ask(server, at, { name, fieldType: 'enum', options: ['low', 'high'], on: 'lead' })).field
      .fieldId;
  };
  const segment = async (name: string): Promise<string> =>
    (
      await ask(server, `POST /v1/sites/${siteId}/segments`, {
        name: `${name} of the ${key}`,
        filters: ['source~is~email'],
      })
    ).segment.segmentId;
  const note = async (text: string): Promise<string> =>
    (await ask(server, `POST /v1/sites/${siteId}/notes`, { text, kind: 'deploy' })).note.noteId;
  await ask(server, 'POST /v1/reviews', {
    email: lead.email,
    anonId: `${key}-browser-1`,
    propertyId: key,
    rating: 4,
    text: `The rye of the ${key} keeps for a week.`,
    display: { text: `The ${key} may publish this with my first name.`, name: 'Ada' },
  });
  const { reviews } = await ask(server, `GET /v1/sites/${siteId}/reviews`);
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
    erasureId: await makeErasure(server, key),
    sessionId: (await visit(server, key, `${key}-browser-4`)).sessionId,
    ownDataToken: await makeOwnDataLink(server, key, siteId, 'curious'),
    newAddressToken: await makeOwnDataLink(server, key, siteId, 'moving', `moved@${key}.example`),
    ...(await makeMailReport(server, key, siteId)),
    importId: await makeImport(server, key, 1),
    undoneImportId: await makeImport(server, key, 2),
    requestId: request.requestId,
    botId,
    keyId: made.key.keyId,
    owner,
    password,
    sessions,
    partner,
    refreshToken: program.body.refreshToken,
    emailToken: await emailToken(server, partner.userId, `partner-anew@${key}.example`),
    shareToken: opened.token,
    lockedShareToken: locked.token,
    shareId: locked.share.shareId,
    webhookId: webhook.webhookId,
    spareWebhookId: spareWebhook.webhookId,
    integrationId: integration.integrationId,
    spareIntegrationId: spareIntegration.integrationId,
    customFieldId: await customField('budget'),
    spareCustomFieldId: await customField('floor'),
    segmentId: await segment('Mail'),
    spareSegmentId: await segment('Mail, once'),
    noteId: await note(`The ${key} has a new front`),
    spareNoteId: await note(`The ${key} has a new back`),
    reviewId: reviews[0].reviewId,
    hookId,
    deliveryId: tested.delivery.deliveryId,
    templateId: await look(),
    spareTemplateId: await look(),
    notificationId: await notification(),
    spareNotificationId: await notification(),
    abDraftId: await abTest(false),
    abTestId: await abTest(true),
    abEndingId: await abTest(true),
    messageId: message.notificationId,
    receipt: feed.items[0].variants[0].receipt,
    passkeyId,
    newPasskey: makeAuthenticator(WORLD_SETTINGS.PUBLIC_URL).create(begunPasskey.options),
    passkeySignIn: device.use(await passkeyOptions(server)),
    passkeyProof: proving.use(await passkeyOptions(server)),
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
    dashboardFile: /\/app\/-\/(main-[\w-]+\.js)/.exec(await (await fetch(`${server.url}/app`)).text())![1]!,
  };
  await ask(server, 'POST /v1/admin/jobs/rollup');
  await ask(server, 'POST /v1/admin/jobs/ledger', { propertyId: key });
  return place;
}
