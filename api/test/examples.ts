// One valid call, or several, of every operation, in the world of world.ts: what the tests that walk the routes send.
import { createHmac } from 'node:crypto';
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
  const webhook = { siteId: key, webhookId: place.webhookId };
  const integration = { siteId: key, integrationId: place.integrationId };
  const order1 = { id: 1, total_price: '9.90', currency: 'CAD' };
  const order = { kind: 'purchase', anonId, amount: '19.90', currency: 'CAD' };
  const spent = { day: today, source: `${key} radio`, campaign: '', amount: 7, currency: 'CAD' };
  return {
    isAlive: [{}],
    isReady: [{}],
    getHealth: [{}],
    getFront: [{}],
    getScript: [{}],
    getCoreScript: [{}],
    getConsentScript: [{}],
    getNotificationScript: [{}],
    getNotificationScriptVersion: [{ path: { file: place.script } }],
    describeScripts: [{}],
    getScriptVersion: [{ path: { file: place.script } }],
    getOpenApi: [{}],
    getDashboard: [{}],
    getDashboardRoot: [{}],
    getDashboardFile: [{ path: { file: place.dashboardFile } }],
    getEmbeddedShare: [{ path: { share: place.shareId } }, { path: { share: 'overview' } }],
    getDashboardPage: [{ path: { page: 'account' } }],
    getDashboardPageOfSite: [{ path: { site: key, page: 'overview' } }],
    getDashboardPageOfOne: [{ path: { site: key, page: 'leads', id: leadId } }],

    storeEvents: [
      { body: makeEvent({ anonId, propertyId, props: { size: 'L', slices: [1, 2] } }) },
      { body: { events: [makeEvent({ anonId, propertyId }), makeEvent({ anonId, propertyId })] } },
    ],
    showConsentControl: [{ query: { propertyId } }, { query: { propertyId, lang: 'fr' } }],
    storeChoice: [
      {
        body: {
          choiceId: `${key}-choice-1`,
          mode: 'full',
          words: `May the ${key} know you again? Yes. No.`,
          language: 'en',
          anonId,
          propertyId,
        },
      },
    ],
    showPixel: [{ query: { propertyId, path: `/${key}`, utm_source: `${key} mail` } }],
    captureLead: [
      { body: { ...captured, email: `bob@${key}.example`, payload: { wish: 'rye', loaves: 2 } } },
      { form: { ...captured, email: `cem@${key}.example`, utm_source: `${key} mail`, wish: 'rye' } },
    ],
    captureReview: [
      {
        body: {
          ...captured,
          email: `bob@${key}.example`,
          rating: 5,
          text: `I come to the ${key} each Saturday.`,
          product: 'rye',
          display: { text: `The ${key} may publish this.`, fields: ['name'], name: 'Bob' },
        },
      },
      {
        form: {
          ...captured,
          email: `cem@${key}.example`,
          rating: '2',
          text: `The ${key} was out of rye.`,
          relationship: 'neighbour',
        },
      },
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
    getPulse: [{ path }, { path: { siteId } }],
    listRefusedOrigins: [{ path }, { path: { siteId } }],
    listConsentTexts: [{ path: { siteId } }, { path, query: { limit: 5 } }],
    listChoices: [{ path: { siteId } }, { path, query: { limit: 5 } }],
    publishConsentText: [{ path, body: { name: `${key} news`, words: `The ${key} may write, and phone.` } }],

    listLeads: [
      { query: { propertyId, limit: 10 } },
      { query: { propertyId: siteId, consent: 'pending', from: today, to: today } },
      { query: { propertyId, purpose: 'letters', consent: 'pending', mailable: 'false' } },
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
    getMetricsReceipts: report({ metric: 'formCompletionRate' }),
    getMetricsTimeseries: report({ interval: 'week' }),
    getMetricsBreakdown: [...report({ by: 'sources', limit: 5 }), ...report({ by: 'spend' })],
    getMetricsCohorts: report({ weeks: 4 }),
    getMetricsAttribution: report({ of: 'signup' }),
    getMetricsQuality: report(),
    getMetricsLeads: report({ limit: 10 }),
    getMetricsSessions: report({ limit: 10, source: 'direct' }),
    getMetricsSession: [{ path: { sessionId: place.sessionId } }],
    getMetricsPage: report({ vs: 'year', match: 'weekday' }),
    getSiteAnalytics: [
      { path, query: { start: today, end: today, compareTo: 'yes' } },
      { path: { siteId }, query: { start: today, end: today, format: 'csv' } },
    ],
    getMetricsRealtime: [{ query: { propertyId } }, { query: { propertyId: siteId, format: 'csv' } }],

    judgeVisitor: [
      { body: { propertyId, visitorId: place.botId, bot: true } },
      { body: { propertyId, anonId: `${key}-robot-2`, bot: true } },
    ],
    listVisitors: [{ path }, { path: { siteId }, query: { limit: 5 } }],
    getVisitor: [{ path: { siteId: key, visitorId: place.visitorId } }],
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
    listAuditEntries: [
      { query: { limit: 500 } },
      { query: { propertyId, action: 'GET /v1/leads', from: `${today}T00:00:00Z` } },
    ],

    listKeys: [{}, { query: { limit: 5 } }],
    createKey: [{ body: { name: `${key} numbers`, scopes: ['read'], sites: [key] } }],

    beginPasskeySignUp: [
      {
        body: {
          inviteToken: place.inviteToken,
          email: `new@${key}.example`,
          fullName: `New at the ${key}`,
        },
      },
    ],
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
    refreshTokens: [{ body: { refreshToken: place.refreshToken } }],
    getMe: [{ headers: me }],
    listMySites: [{ headers: me }],
    updateMe: [{ headers: me, body: { fullName: `The boss of the ${key}`, language: 'fr' } }],
    changeEmail: [{ headers: me, body: { email: `boss@${key}.example` } }],
    confirmEmail: [{ body: { emailToken: place.emailToken } }],
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
    beginPasskey: [{ headers: browser(place.removing) }],
    addPasskey: [
      {
        headers: browser(place.removing),
        body: { name: `A ring of the ${key}`, response: place.newPasskey },
      },
    ],
    listMyPasskeys: [{ headers: browser(place.removing) }],
    renamePasskey: [
      {
        headers: browser(place.removing),
        path: { passkeyId: place.passkeyId },
        body: { name: `The ${key}'s` },
      },
    ],
    beginPasskeySignIn: [{}],
    signInByPasskey: [{ body: { response: place.passkeySignIn } }],
    proveByPasskey: [{ headers: browser(place.factored), body: { response: place.passkeyProof } }],
    removePasskey: [{ headers: browser(place.removing), path: { passkeyId: place.passkeyId } }],
    listSignInWays: [{}],
    beginOidc: [{ body: { fresh: true } }],
    finishOidc: [{}],
    addOidc: [{ headers: browser(place.removing) }],
    removeOidc: [{ headers: browser(place.removing) }],
    listShares: [{ path }, { path: { siteId }, query: { limit: 5 } }],
    createShare: [
      { path, body: { name: `The ${key}'s board`, views: ['summary'], hideMoney: true } },
      { path, body: { name: `Pages of the ${key}`, embed: [`https://www.${key}.example`] } },
    ],
    getShare: [{ headers: { 'x-share-token': place.shareToken } }],
    unlockShare: [{ body: { shareToken: place.lockedShareToken, password: place.password } }],
    revokeShare: [{ path: { siteId: key, shareId: place.shareId } }],
    getEventStream: [{ query: { siteId, after: 0, types: 'lead.captured' } }, {}],
    createStreamTicket: [{ body: { siteId } }, { body: { siteId: key } }],
    listWebhooks: [{ path }, { path: { siteId } }],
    createWebhook: [{ path, body: { url: `https://${key}.example/told`, types: ['conversion.recorded'] } }],
    getWebhook: [{ path: webhook }],
    updateWebhook: [
      {
        path: webhook,
        body: { types: ['lead.captured', 'conversion.recorded'] },
        headers: { 'if-match': '"1"' },
      },
    ],
    renewWebhookSecret: [{ path: webhook, body: { overlapHours: 2 } }, { path: webhook }],
    runWebhookTest: [{ path: webhook }],
    runWebhookReplay: [
      { path: webhook, body: { from: `${today}T00:00:00Z`, to: `${today}T23:59:59Z`, status: 'all' } },
    ],
    getDeliveryLog: [{ path }, { path: { siteId }, query: { state: 'dead', limit: 5 } }],
    runDeliveryReplay: [{ path: { siteId: key, deliveryId: place.deliveryId } }],
    createHook: [{ body: { target_url: `https://${key}.example/hook`, type: 'lead.captured', propertyId } }],
    describeHooks: [{}, { query: { type: 'lead.captured' } }],
    deleteHook: [{ path: { hookId: place.hookId } }],
    deleteWebhook: [
      { path: { siteId: key, webhookId: place.spareWebhookId }, headers: { 'if-match': '"1"' } },
    ],
    listIntegrations: [{ path }, { path: { siteId } }],
    createIntegration: [{ path, body: { kind: 'stripe', secret: `whsec_${key}` } }],
    updateIntegration: [
      {
        path: integration,
        body: { mapping: { shopDomain: `${key}.myshopify.com` } },
        headers: { 'if-match': '"1"' },
      },
    ],
    tellDelivery: [
      {
        path: { integrationId: place.integrationId },
        body: order1,
        headers: {
          'x-shopify-hmac-sha256': createHmac('sha256', `hush, ${key}`)
            .update(JSON.stringify(order1))
            .digest('base64'),
          'x-shopify-shop-domain': `${key}.myshopify.com`,
          'x-shopify-topic': 'orders/paid',
        },
      },
    ],
    deleteIntegration: [
      { path: { siteId: key, integrationId: place.spareIntegrationId }, headers: { 'if-match': '"1"' } },
    ],
    listTemplates: [{ path }, { path: { siteId }, query: { limit: 5 } }],
    createTemplate: [
      {
        path,
        body: {
          name: `Dark ${key}`,
          css: '.mk-card { padding: 1rem } .mk-link:hover { color: var(--mk-text) }',
        },
      },
    ],
    getTemplate: [{ path: { siteId: key, templateId: place.templateId } }],
    updateTemplate: [
      {
        path: { siteId: key, templateId: place.templateId },
        body: { name: `Bright ${key}` },
        headers: { 'if-match': '"1"' },
      },
    ],
    deleteTemplate: [
      { path: { siteId: key, templateId: place.spareTemplateId }, headers: { 'if-match': '"1"' } },
    ],
    listNotifications: [{ path }, { path: { siteId }, query: { limit: 5 } }],
    createNotification: [
      {
        path,
        body: {
          kind: 'message',
          name: `Since when the ${key}`,
          source: { url: `https://${key}.example/about`, statedOn: '2026-01-31' },
          texts: { en: { other: `The ${key} bakes by hand` } },
        },
      },
    ],
    getNotification: [{ path: { siteId: key, notificationId: place.notificationId } }],
    getNotificationNumbers: [
      {
        path: { siteId: key, notificationId: place.notificationId },
        query: { start: place.today, end: place.today },
      },
    ],
    listNotificationVersions: [
      { path: { siteId: key, notificationId: place.notificationId } },
      { path: { siteId, notificationId: place.messageId }, query: { limit: 1 } },
    ],
    listNotificationReceipts: [
      { path: { siteId: key, notificationId: place.messageId } },
      { path: { siteId, notificationId: place.messageId }, query: { limit: 1 } },
    ],
    listNotificationNumbers: [
      { path: { siteId }, query: { start: place.today, end: place.today, limit: 5 } },
    ],
    updateNotification: [
      {
        path: { siteId: key, notificationId: place.notificationId },
        body: { status: 'running', channels: ['bar', 'page'], targeting: { include: ['/shop/*'] } },
        headers: { 'if-match': '"1"' },
      },
    ],
    showNotificationPreview: [
      { path: { siteId: key, notificationId: place.notificationId } },
      {
        path: { siteId: key, notificationId: place.messageId },
        body: { texts: { en: { other: `The ${key} kneads by hand` } } },
      },
    ],
    getFeed: [{ query: { site: key } }, { query: { site: key, lang: 'fr' } }],
    getFeedStream: [{ query: { site: key } }, { query: { site: key, lang: 'fr' } }],
    showFeed: [{ query: { site: key } }],
    getBadge: [{ query: { site: key, n: place.messageId } }],
    getReceipt: [{ path: { receiptRef: place.receipt } }],
    showReceipt: [{ path: { receiptRef: place.receipt } }],
    listProofKeys: [{}],
    getReceiptEvidence: [{ path: { siteId: key, receiptRef: place.receipt } }],
    deleteNotification: [
      { path: { siteId: key, notificationId: place.spareNotificationId }, headers: { 'if-match': '"1"' } },
    ],
    listReviews: [{ path }, { path: { siteId }, query: { limit: 5, status: 'waiting' } }],
    importReviews: [
      {
        path,
        body: { source: 'google', dryRun: true, csv: `writtenAt,rating,text\n2026-01-31,4,Good ${key}\n` },
      },
      { path, body: { source: 'google', csv: `writtenAt,rating,text\n2026-01-31,4,Good ${key}\n` } },
    ],
    getReview: [{ path: { siteId: key, reviewId: place.reviewId } }],
    updateReview: [
      {
        path: { siteId: key, reviewId: place.reviewId },
        body: { status: 'published', incentive: 'a loaf' },
        headers: { 'if-match': '"1"' },
      },
    ],
    listAbTests: [{ path }, { path: { siteId }, query: { limit: 5 } }],
    createAbTest: [
      {
        path,
        body: {
          notificationId: place.notificationId,
          variants: [
            { key: 'plain', share: 0.3 },
            {
              key: 'warm',
              share: 0.3,
              texts: { en: { other: `{count} friends of the ${key} in {days} days` } },
            },
          ],
          controlShare: 0.4,
          goal: { of: 'page_views', where: { path: '/thanks' }, withinDays: 3 },
          minDays: 7,
          maxDays: 28,
          winner: 'automatic',
          stopUnproven: true,
        },
      },
    ],
    startAbTest: [{ path: { siteId: key, testId: place.abDraftId } }],
    chooseAbWinner: [{ path: { siteId: key, testId: place.abTestId }, body: { variant: 'warm' } }],
    getAbResults: [{ path: { siteId, testId: place.abTestId } }],
    stopAbTest: [{ path: { siteId: key, testId: place.abEndingId } }],
    listMailReports: [{ path }],
    createMailReport: [
      { path, body: { every: 'week', weekday: 5, hour: 7, recipients: [`team@${key}.example`] } },
      {
        path: { siteId },
        body: { every: 'month', timezone: 'America/Toronto', language: 'fr', recipients: [email] },
      },
    ],
    listAlertRules: [{ path }],
    createAlertRule: [
      { path, body: { kind: 'spike', channels: [{ mail: `team@${key}.example` }] } },
      { path, body: { kind: 'goal_zero', goal: 'order', sensitivity: 'low', channels: [{ mail: email }] } },
    ],
    deleteAlertRule: [{ path: { siteId: key, ruleId: place.alertRuleId } }],
    listImports: [{ path }],
    createImport: [
      {
        path,
        body: { source: 'umami', files: [{ name: 'a.zip', sha256: 'a'.repeat(64) }], timezone: 'UTC' },
      },
    ],
    storeImportRows: [
      {
        path: { siteId: key, importId: place.importId },
        body: { seq: 0, kind: 'total', rows: [{ day: '2020-02-01', name: '', visitors: 3, visits: 4 }] },
      },
      {
        path: { siteId: key, importId: place.importId },
        body: { seq: 1, kind: 'page', rows: [{ day: '2020-02-01', name: `/${key}`, pageviews: 5 }] },
      },
    ],
    finishImport: [
      {
        path: { siteId: key, importId: place.importId },
        body: {
          rows: 2,
          sums: { visitors: 3, visits: 4, pageviews: 0, bounces: 0, seconds: 0, events: 0 },
        },
      },
    ],
    deleteImport: [{ path: { siteId: key, importId: place.undoneImportId } }],
    showMailRecipient: [{ path: { token: place.mailRecipientToken }, query: { lang: 'fr' } }],
    confirmMailRecipient: [{ path: { token: place.mailRecipientToken } }],
    showLeaveMailReports: [{ path: { token: place.mailRecipientToken } }],
    endMailReports: [{ path: { token: place.mailRecipientToken } }],
    deleteMailReport: [{ path: { siteId: key, reportId: place.mailReportId } }],
    deleteMailRecipient: [{ path: { siteId: key, recipientId: place.mailRecipientId } }],
    listCustomFields: [{ path }, { path: { siteId } }],
    createCustomField: [
      { path, body: { name: 'seats', fieldType: 'number', on: 'event', personal: false } },
      {
        path: { siteId },
        body: { name: 'size', fieldType: 'enum', on: 'lead', options: ['small', 'large'] },
      },
    ],
    updateCustomField: [
      {
        path: { siteId: key, fieldId: place.customFieldId },
        body: { options: ['low', 'middle', 'high'], personal: false },
        headers: { 'if-match': '"1"' },
      },
    ],
    deleteCustomField: [
      { path: { siteId: key, fieldId: place.spareCustomFieldId }, headers: { 'if-match': '"1"' } },
    ],
    listArchives: [{ path }, { path: { siteId }, query: { limit: 5 } }],
    listArchiveRestores: [{ path }, { path: { siteId }, query: { limit: 5 } }],
    restoreArchives: [
      { path, body: { from: '2026-01-05', to: '2026-01-06' } },
      { path: { siteId }, body: { from: '2026-01-05', to: '2026-01-06' } },
    ],
    listNotes: [{ path }, { path: { siteId }, query: { from: today, to: today, limit: 5 } }],
    createNote: [
      { path, body: { text: `The ${key} has a new oven`, kind: 'deploy' } },
      { path: { siteId }, body: { at: today, text: 'Release 7', kind: 'deploy', scope: 'site' } },
    ],
    updateNote: [
      {
        path: { siteId: key, noteId: place.noteId },
        body: { text: `The ${key} has another front`, at: `${today}T00:00:00+01:00` },
        headers: { 'if-match': '"1"' },
      },
    ],
    deleteNote: [{ path: { siteId: key, noteId: place.spareNoteId }, headers: { 'if-match': '"1"' } }],
    listSegments: [{ path }, { path: { siteId } }],
    createSegment: [
      {
        path,
        body: { name: `Mail of the ${key} on mobiles`, filters: ['source~is~email', 'device~is~mobile'] },
      },
    ],
    updateSegment: [
      {
        path: { siteId: key, segmentId: place.segmentId },
        body: { filters: ['source~is~email', 'landing~contains~/bread'] },
        headers: { 'if-match': '"1"' },
      },
    ],
    deleteSegment: [
      { path: { siteId: key, segmentId: place.spareSegmentId }, headers: { 'if-match': '"1"' } },
    ],
    createPlan: [
      { body: { planId: `${key}-large`, name: `For the ${key}`, limits: { events: 100_000, seats: 9 } } },
    ],
    getPlans: [{}],
    updatePlan: [
      {
        path: { plan: `${key}-large` },
        body: { limits: { events: 200_000, seats: 9 } },
        headers: { 'if-match': '"1"' },
      },
    ],
    updateSubscription: [
      { path, body: { plan: `${key}-large`, billingUrl: `https://${key}.example/bills` } },
      { path: { siteId }, body: { plan: 'unlimited' } },
    ],
    getSubscription: [{ path }, { path: { siteId } }],
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

    runGraph: [
      {
        body: {
          query: 'query ($site: String) { listLeads(propertyId: $site) { leads { email } } }',
          variables: { site: key },
        },
      },
    ],
    getStatus: [{}],
    getRestoreChecks: [{}],
    listErasures: [{}, { query: { propertyId, limit: 5 } }],
    getErasure: [{ path: { erasureId: place.erasureId } }],
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
    withdrawDisplay: [
      { body: { email: `bob@${key}.example`, propertyId, show: false } },
      { form: { token: place.unsubscribeToken, show: 'false' } },
    ],
    unsubscribeByLink: [
      { path: { token: place.unsubscribeToken }, form: { what: 'purpose' } },
      { path: { token: place.unsubscribeToken } },
    ],

    showYourData: [{ query: { propertyId } }, { query: { propertyId, lang: 'fr' } }],
    askYourData: [{ body: { email, propertyId } }, { form: { email, propertyId, lang: 'fr' } }],
    showHeldData: [{ path: { token: place.ownDataToken } }, { path: { token: place.newAddressToken } }],
    updateHeldName: [{ path: { token: place.ownDataToken }, form: { name: `Curious of the ${key}` } }],
    askAddressChange: [
      { path: { token: place.ownDataToken }, form: { email: `curious.too@${key}.example` } },
    ],
    confirmAddressChange: [{ path: { token: place.newAddressToken } }],
    exportHeldData: [{ path: { token: place.ownDataToken } }],
    withdrawHeldConsent: [
      { path: { token: place.ownDataToken }, form: { purposes: 'partners' } },
      { path: { token: place.ownDataToken }, body: { everything: 'yes' } },
    ],
    withdrawHeldDisplay: [{ path: { token: place.ownDataToken } }],
    objectToLinking: [{ path: { token: place.ownDataToken } }],
    eraseHeldData: [
      { path: { token: place.ownDataToken } },
      { path: { token: place.ownDataToken }, form: { sure: 'yes' } },
    ],
    eraseSubject: [{ body: { email: place.leaving, propertyId } }],
  };
}
