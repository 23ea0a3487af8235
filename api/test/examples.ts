// One valid call, or several, of every operation, in the world of world.ts: what the tests that walk the routes send.
import { makeEvent } from './make.ts';
import type { SignedIn } from './people.ts';
import type { Place } from './world.ts';

/** One call of an operation; at most one of body, form and csv. */
export interface Example {
  path?: Record<string, string>;
  query?: Record<string, string | number | boolean>;
  body?: Record<string, unknown>;
  form?: Record<string, string>;
  csv?: string;
  /** Beside those of its caller. */
  headers?: Record<string, string>;
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
  // a key would go before a cookie
  const browser = ({ headers }: SignedIn) => ({ ...headers, 'x-admin-key': '' });
  const as = (n: number) => browser(place.sessions[n]!);
  const me = as(0);
  const viewer = { userId: place.viewer.userId };
  const link = { leadId, visitorId: place.strangerId, propertyId };
  const order = { kind: 'purchase', anonId, amount: '19.90', currency: 'CAD' };
  const spent = { day: today, source: `${key} radio`, campaign: '', amount: 7, currency: 'CAD' };
  return {
    isAlive: [{}],
    isReady: [{}],
    getHealth: [{}],
    getFront: [{}],
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
    showPrivacy: [{ query: { propertyId } }, { query: { propertyId, lang: 'fr' } }],
    describeGpc: [{}],
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
    storeRestriction: [{ path: { leadId }, body: { all: false } }],
    updateLead: [{ path: { leadId }, body: { email, how: `by letter to the ${key}` } }],
    getConsentEvidence: [{ path: { leadId } }],
    tellWithdrawal: [
      {
        path: { leadId },
        body: { receivedAt: `${today}T00:00:00Z`, how: 'by telephone, to the till', purposes: ['partners'] },
      },
    ],
    tellConsent: [
      {
        path: { leadId },
        body: {
          receivedAt: `${today}T00:00:00Z`,
          how: 'a card at the counter, folder 7',
          status: 'express',
          words: `The ${key} may write to me.`,
        },
      },
    ],
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
    getStaffLink: [{ path }, { path: { siteId } }],
    showStaff: [{ path: { token: place.staffToken } }],
    listBotVerdicts: [{ query: { propertyId } }],
    listQuarantined: [{ query: { propertyId, limit: 10 } }, {}],
    releaseQuarantined: [{ path: { quarantineId: place.quarantineIds[0] } }],
    dropQuarantined: [{ path: { quarantineId: place.quarantineIds[1] } }],

    listRequests: [{}, { query: { state: 'all', limit: 5 } }],
    searchRequests: [{ body: { email } }],
    registerRequest: [{ body: { propertyId, kind: 'access', email, how: `by mail to the ${key}` } }],
    updateRequest: [{ path: { requestId: place.requestId }, body: { outcome: 'done' } }],
    listBreaches: [{}],
    getBreach: [{ path: { breachId: place.breachId } }],
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

    listKeys: [{}, { query: { limit: 5 } }],
    createKey: [{ body: { name: `${key} numbers`, scopes: ['read'], sites: [key] } }],

    signUp: [
      {
        body: {
          inviteToken: place.inviteToken,
          email: `new@${key}.example`,
          fullName: `New at the ${key}`,
          password: place.password,
        },
      },
    ],
    signIn: [{ body: { email: place.owner, password: place.password } }],
    getMe: [{ headers: me }],
    updateMe: [{ headers: me, body: { fullName: `The boss of the ${key}`, language: 'fr' } }],
    changeEmail: [{ headers: me, body: { email: `boss@${key}.example` } }],
    listMySessions: [{ headers: me }],
    proveIdentity: [{ headers: as(1), body: { password: place.password } }],
    signOut: [{ headers: as(2) }],
    endMySession: [{ headers: me, path: { sessionId: place.sessions[3]!.sessionId } }],
    changePassword: [{ headers: me, body: { newPassword: `${place.password}, again` } }],
    endMyOtherSessions: [{ headers: me }],
    addTotp: [{ headers: browser(place.partner) }],
    confirmTotp: [{ headers: browser(place.beginner), body: { code: `now ${place.begun}` } }],
    renewRecoveryCodes: [{ headers: browser(place.factored) }],
    removeTotp: [{ headers: browser(place.removing) }],
    askReset: [{ body: { email: place.owner } }],
    resetPassword: [{ body: { resetToken: place.resetToken, newPassword: `${place.password}, anew` } }],
    listUsers: [{}, { query: { limit: 5 } }],
    getUser: [{ path: viewer }],
    updateUser: [{ path: viewer, body: { grants: [{ site: key, role: 'analyst' }] } }],
    listInvitations: [{}],
    inviteUser: [{ body: { role: 'viewer', sites: [key], email: `guest@${key}.example` } }],
    dropInvitation: [{ path: { invitationId: place.invitationId } }],
    deleteMe: [{ headers: browser(place.partner) }],
    listAuthEvents: [{}],
    endUserSessions: [{ path: viewer }],
    deleteUser: [{ path: viewer }],

    getStatus: [{}],
    getMeters: [{}],
    listJobs: [{}],
    listJobRuns: [{ path: { job: 'rollup' }, query: { limit: 5 } }, { path: { job: 'ledger' } }],
    runJob: [
      { path: { job: 'ledger' }, body: { from: today, to: today, propertyId } },
      { path: { job: 'ledger' } },
    ],

    registerStaff: [
      { path: { token: place.staffToken }, form: { apart: 'yes' } },
      { path: { token: place.staffToken }, body: { apart: 'no' } },
    ],
    makeStaffLink: [{ path }],
    dropStaffLink: [{ path }],

    exportSubject: [{ body: { email, propertyId } }, { body: { anonId: `${key}-browser-2`, propertyId } }],
    showErasureProof: [{ body: { email: place.leaving, propertyId } }, { body: { email } }],
    revokeKey: [{ path: { keyId: place.keyId } }],
    unmergeIdentity: [{ body: { leadId, visitorId: place.mergedVisitorId, propertyId } }],
    unsubscribeByAddress: [
      { body: { email: `bob@${key}.example`, propertyId } },
      { form: { email: `cem@${key}.example`, propertyId } },
    ],
    unsubscribeByLink: [{ path: { token: place.unsubscribeToken } }],
    eraseSubject: [{ body: { email: place.leaving, propertyId } }],
  };
}
