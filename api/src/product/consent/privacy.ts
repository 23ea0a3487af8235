// What GET /v1/privacy says, to machines and as a page: who is responsible, what for, who gets it, where, how long, and
// which rights there are; made from the settings that are really in force.
import { z } from 'zod';
import type { Config } from '../../config.ts';
import type { Call } from '../../ground/http/call.ts';
import { html } from '../../ground/http/html.ts';
import { page, yourDataPath } from '../../ground/http/page.ts';
import type { Reply } from '../../ground/http/reply.ts';
import type { Site } from '../../ground/site.ts';
import type { Language } from '../../ground/words/language.ts';
import { type NoticeFacts, noticeEn } from '../../ground/words/notice-en.ts';
import { noticeFr } from '../../ground/words/notice-fr.ts';
import { yourDataWords } from '../../ground/words/words.ts';
import { type SenderDefaults, senderOf } from '../sites/sender.ts';
import type { InForce } from './in-force.ts';

/** What of the operator's settings a visitor has a right to know. */
export type PrivacySettings = Pick<
  Config,
  | 'PRIVACY_CONTACT_EMAIL'
  | 'SMTP_URL'
  | 'TURNSTILE_SECRET'
  | 'BACKUP_PUBLIC_KEY'
  | 'BACKUP_S3_URL'
  | 'BACKUP_SSH_URL'
  | 'ARCHIVE_S3_URL'
  | 'ENABLE_HEURISTIC_LINKING'
>;

export interface PrivacyNeeds {
  config: PrivacySettings;
  senderDefaults: SenderDefaults;
  /** How long what is kept, of all features, by the names they are told by. */
  periods: Record<string, number>;
  /** What a site uses with data of people. */
  inForce: (siteId: string) => Promise<InForce>;
}

export const privacyShape = z
  .object({
    controller: z.object({
      name: z.string(),
      address: z.string().nullable(),
      contact: z.string().nullable(),
      officer: z.string().nullable(),
    }),
    contact: z.string().nullable().describe('whom to ask about one’s data'),
    yourData: z.string().describe('path of the page on which a person sees, corrects and deletes their data'),
    policyVersion: z.string().nullable(),
    policyUrl: z.string().nullable(),
    storedIn: z.string().nullable(),
    recipients: z.array(
      z.enum([
        'mail_server',
        'turnstile',
        'backup_storage',
        'archive_storage',
        'own_systems',
        'site_visitors',
      ]),
    ),
    retention: z
      .object({
        eventDays: z.int(),
        archiveMonths: z
          .int()
          .optional()
          .describe('of visits after that, in files without addresses; absent: there is no archive'),
        rejectionDays: z.int(),
        rollupMonths: z.int(),
        payloadMonths: z.int(),
        quarantineDays: z.int(),
        lapsedLeadDays: z.int(),
        unconfirmedLeadDays: z.int(),
        pendingLeadMonths: z.int(),
        withdrawnLeadYears: z.int(),
        consentRecordYears: z.int(),
        browserChoiceYears: z.int(),
        unsubscribedYears: z.int(),
        reviewYears: z.int(),
        answeredRequestMonths: z.int(),
        auditLogYears: z.int(),
        backupDays: z.int(),
      })
      .describe('the periods that the nightly purge goes by'),
    addresses: z.literal('hashed'),
    dayVisitors: z.object({ saltHours: z.literal(48) }).describe('visitors without an id of their own'),
    signalsHonoured: z.array(z.enum(['GPC', 'DNT'])),
    notice: z
      .object({
        language: z.string(),
        title: z.string(),
        sections: z.array(z.object({ title: z.string(), lines: z.array(z.string()) })),
      })
      .describe('the same in words, as the page shows it'),
  })
  .meta({ id: 'Privacy' });

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

async function factsOf(
  site: Site,
  { config, senderDefaults, periods: { archiveMonths, ...periods }, inForce }: PrivacyNeeds,
): Promise<NoticeFacts> {
  const { settings } = site;
  const archive: Record<string, number> = config.ARCHIVE_S3_URL ? { archiveMonths: archiveMonths! } : {};
  const sender = senderOf(site, senderDefaults);
  return {
    who: sender.name,
    address: sender.address,
    contact: config.PRIVACY_CONTACT_EMAIL ?? textOf(settings.senderContact),
    officer: textOf(settings.privacyOfficer),
    policyUrl: textOf(settings.policyUrl),
    policyVersion: textOf(settings.policyVersion),
    storedIn: textOf(settings.storedIn),
    mailServer: config.SMTP_URL ? (URL.parse(config.SMTP_URL)?.hostname ?? null) : null,
    challenge: config.TURNSTILE_SECRET !== undefined,
    backupsElsewhere:
      config.BACKUP_S3_URL || config.BACKUP_SSH_URL
        ? config.BACKUP_PUBLIC_KEY
          ? 'encrypted'
          : 'plain'
        : null,
    doubleOptIn: settings.doubleOptIn === true,
    scored: settings.visitorScores === true,
    linking: (textOf(settings.linking) ?? 'form') as NoticeFacts['linking'],
    guessedLinks: config.ENABLE_HEURISTIC_LINKING && settings.linking === 'on',
    ...(await inForce(site.siteId)),
    periods: { ...periods, ...archive },
  };
}

const noticeIn = (language: Language, facts: NoticeFacts) => (language === 'fr' ? noticeFr : noticeEn)(facts);

export async function privacyFacts(call: Call, needs: PrivacyNeeds): Promise<z.input<typeof privacyShape>> {
  const facts = await factsOf(call.site, needs);
  const { who, address, contact, officer, policyVersion, policyUrl, storedIn, periods } = facts;
  return {
    controller: { name: who, address, contact: senderOf(call.site, needs.senderDefaults).contact, officer },
    contact,
    yourData: yourDataPath(call),
    policyVersion,
    policyUrl,
    storedIn,
    recipients: [
      ...(facts.mailServer ? (['mail_server'] as const) : []),
      ...(facts.challenge ? (['turnstile'] as const) : []),
      ...(facts.backupsElsewhere ? (['backup_storage'] as const) : []),
      ...(facts.periods.archiveMonths ? (['archive_storage'] as const) : []),
      ...(facts.personalWebhooks ? (['own_systems'] as const) : []),
      ...(facts.namesShown || facts.reviews ? (['site_visitors'] as const) : []),
    ],
    retention: periods as z.input<typeof privacyShape>['retention'],
    addresses: 'hashed',
    dayVisitors: { saltHours: 48 },
    signalsHonoured: ['GPC', 'DNT'],
    notice: { language: call.language, ...noticeIn(call.language, facts) },
  };
}

export async function noticePage(call: Call, needs: PrivacyNeeds): Promise<Reply> {
  const { title, sections } = noticeIn(call.language, await factsOf(call.site, needs));
  const other = call.language === 'fr' ? 'en' : 'fr';
  const there = `/v1/privacy?${new URLSearchParams({ lang: other, propertyId: call.site.key })}`;
  return page(
    call,
    200,
    title,
    html`${sections.map((section) => html`<h2>${section.title}</h2>${section.lines.map((line) => html`<p>${line}</p>`)}`)}<p><a href="${yourDataPath(call)}">${yourDataWords(call.language).link}</a></p><p><a href="${there}" hreflang="${other}" lang="${other}">${other === 'fr' ? 'En français' : 'In English'}</a></p>`,
    { isNotice: true },
  );
}
