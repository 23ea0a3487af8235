// Rules that warn by mail: made, listed and deleted by a site's people.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { isUuid } from '../../ground/lib/uuid.ts';
import { languageOf } from '../../ground/words/language.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { type HashAddress, inSiteWithAddresses } from '../mail-reports/addresses.ts';
import { needsMail } from '../mail-reports/needs-mail.ts';
import { askRecipients } from '../mail-reports/recipients.ts';
import type { MailFacts } from '../sites/settings.ts';
import { deleteRule, findRules, insertRule } from './queries.ts';
import { alertRuleShape, newAlertRule, RULES_MAX } from './schema.ts';

export interface RuleNeeds {
  db: Pool;
  accounts: Pick<Accounts, 'isConfigured' | 'vault'>;
  leads: { mail: MailFacts; hashAddress: HashAddress };
}

export function alertRuleRoutes({ db, accounts, leads }: RuleNeeds): Route[] {
  const vaultOrNone = () => (accounts.isConfigured ? accounts.vault() : null);
  const common = { tag: 'reports', who: 'settings', of: 'path' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/sites/:siteId/alert-rules',
      id: 'listAlertRules',
      says: `What of the site’s numbers is worth a warning by mail, at most ${RULES_MAX} rules`,
      answers: { 200: z.object({ rules: z.array(alertRuleShape) }) },
      run: (_input, { site: { siteId } }) =>
        inSiteWithAddresses(db, siteId, async (tx) => ({
          rules: await findRules(tx, vaultOrNone(), siteId, null),
        })),
    }),
    route({
      ...common,
      at: 'POST /v1/sites/:siteId/alert-rules',
      id: 'createAlertRule',
      says: 'Warns by mail when an hour or day is unlike the same of the last four weeks, at most once in six hours',
      proof: 'fresh',
      takes: { as: ['json'], bytesMax: 16 * 1024, shape: newAlertRule },
      answers: { 201: z.object({ rule: alertRuleShape }) },
      async run({ kind, sensitivity, goal, channels }, call) {
        const { siteId, settings } = call.site;
        needsMail(call.site, leads.mail);
        const vault = accounts.vault();
        const keeping = { vault, hashAddress: leads.hashAddress };
        const rule = await inSiteWithAddresses(db, siteId, async (tx) => {
          const addresses = channels.map(({ mail }) => mail);
          const ids = await askRecipients(tx, keeping, siteId, addresses, languageOf(settings) ?? 'en').catch(
            (error: unknown) => {
              throw asChannels(error);
            },
          );
          if ((await findRules(tx, vault, siteId, null)).length >= RULES_MAX)
            throw new AppError('conflict', `A site has at most ${RULES_MAX} rules. Delete one first.`);
          const row = { siteId, kind, sensitivity, goal: goal ?? null, madeBy: call.caller.actor };
          return (await findRules(tx, vault, siteId, await insertRule(tx, row, ids)))[0]!;
        });
        call.note({ target: rule.ruleId, details: { kind, sensitivity } });
        return created({ rule });
      },
    }),
    route({
      ...common,
      at: 'DELETE /v1/sites/:siteId/alert-rules/:ruleId',
      id: 'deleteAlertRule',
      says: 'Ends a rule that warns',
      answers: { 200: z.object({}) },
      async run(_input, call) {
        const { siteId } = call.site;
        const ruleId = call.params.ruleId ?? '';
        if (!isUuid(ruleId) || !(await inSites(db, siteId, (tx) => deleteRule(tx, siteId, ruleId))))
          throw new AppError('not_found', 'There is no rule with this id.');
        call.note({ target: ruleId });
        return {};
      },
    }),
  ];
}

/** What is wrong with a recipient, at the field where it stands here. */
function asChannels(error: unknown): unknown {
  if (!(error instanceof AppError) || !error.issues) return error;
  const issues = error.issues.map(({ path, message }) => ({
    path: path.replace(/^recipients\.(\d+)$/, 'channels.$1.mail'),
    message,
  }));
  return new AppError(error.code, error.message, { issues });
}
