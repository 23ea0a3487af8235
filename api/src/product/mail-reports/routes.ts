// Reports by mail: made, listed and deleted by a site's people.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { isUuid } from '../../ground/lib/uuid.ts';
import { timeZoneOf } from '../../ground/site.ts';
import { languageOf } from '../../ground/words/language.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { MailFacts } from '../sites/settings.ts';
import { type HashAddress, inSiteWithAddresses } from './addresses.ts';
import { needsMail } from './needs-mail.ts';
import { countReports, deleteReport, findReports, insertReport } from './queries.ts';
import { askRecipients, deleteRecipient, listRecipients } from './recipients.ts';
import { mailReportShape, newMailReport, REPORTS_MAX, recipientShape } from './schema.ts';

export interface ReportNeeds {
  db: Pool;
  accounts: Pick<Accounts, 'isConfigured' | 'vault'>;
  leads: { mail: MailFacts; hashAddress: HashAddress };
}

const idOf = (call: Call, name: string, what: string): string => {
  const id = call.params[name] ?? '';
  if (isUuid(id)) return id;
  throw unknown(what);
};
const unknown = (what: string) => new AppError('not_found', `There is no ${what} with this id.`);

export function reportRoutes({ db, accounts, leads }: ReportNeeds): Route[] {
  const vaultOrNone = () => (accounts.isConfigured ? accounts.vault() : null);
  const common = { tag: 'reports', who: 'settings', of: 'path' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/sites/:siteId/reports',
      id: 'listMailReports',
      says: `Reports that leave by mail, at most ${REPORTS_MAX} a site, and who gets mail about it`,
      answers: {
        200: z.object({ reports: z.array(mailReportShape), recipients: z.array(recipientShape) }),
      },
      run: (_input, { site: { siteId } }) =>
        inSiteWithAddresses(db, siteId, async (tx) => ({
          reports: await findReports(tx, vaultOrNone(), siteId, null),
          recipients: await listRecipients(tx, vaultOrNone(), siteId),
        })),
    }),
    route({
      ...common,
      at: 'POST /v1/sites/:siteId/reports',
      id: 'createMailReport',
      says: 'A report by mail, every week or on the first of the month; its recipients are asked first',
      proof: 'fresh',
      takes: { as: ['json'], bytesMax: 16 * 1024, shape: newMailReport },
      answers: { 201: z.object({ report: mailReportShape }) },
      async run({ recipients, weekday, ...wanted }, call) {
        const { site } = call;
        needsMail(site, leads.mail);
        const language = wanted.language ?? languageOf(site.settings) ?? 'en';
        const vault = accounts.vault();
        const keeping = { vault, hashAddress: leads.hashAddress };
        const report = await inSiteWithAddresses(db, site.siteId, async (tx) => {
          const ids = await askRecipients(tx, keeping, site.siteId, recipients, language);
          if ((await countReports(tx, site.siteId)) >= REPORTS_MAX)
            throw new AppError('conflict', `A site has at most ${REPORTS_MAX} reports. Delete one first.`);
          const row = {
            siteId: site.siteId,
            every: wanted.every,
            weekday: wanted.every === 'week' ? (weekday ?? 1) : null,
            hour: wanted.hour,
            timezone: wanted.timezone ?? timeZoneOf(site),
            language,
            madeBy: call.caller.actor,
          };
          const reportId = await insertReport(tx, row, ids);
          return (await findReports(tx, vault, site.siteId, reportId))[0]!;
        });
        call.note({
          target: report.reportId,
          details: { every: report.every, recipients: recipients.length },
        });
        return created({ report });
      },
    }),
    route({
      ...common,
      at: 'DELETE /v1/sites/:siteId/reports/:reportId',
      id: 'deleteMailReport',
      says: 'Ends a report by mail; its recipients stay confirmed for others',
      answers: { 200: z.object({}) },
      async run(_input, call) {
        const reportId = idOf(call, 'reportId', 'report');
        const { siteId } = call.site;
        if (!(await inSites(db, siteId, (tx) => deleteReport(tx, siteId, reportId)))) throw unknown('report');
        call.note({ target: reportId });
        return {};
      },
    }),
    route({
      ...common,
      at: 'DELETE /v1/sites/:siteId/recipients/:recipientId',
      id: 'deleteMailRecipient',
      says: 'Forgets a recipient: no more reports and warnings about this site go there',
      answers: { 200: z.object({}) },
      async run(_input, call) {
        const recipientId = idOf(call, 'recipientId', 'recipient');
        const { siteId } = call.site;
        if (!(await inSites(db, siteId, (tx) => deleteRecipient(tx, siteId, recipientId))))
          throw unknown('recipient');
        call.note({ target: recipientId });
        return {};
      },
    }),
  ];
}
