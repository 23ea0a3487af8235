// What is kept of rules that warn.
import type { Tables } from '../../ground/tables.ts';

export const alertRuleTables: Tables = {
  alert_rules: {
    holds: 'what of a site’s numbers is worth a warning, and when it last was',
    columns: { kind: 'bounded', sensitivity: 'bounded', goal: 'operator', made_by: 'operator' },
    kept: { ever: 'until it is deleted' },
  },
  alert_rule_recipients: {
    holds: 'who is warned by which rule',
    columns: {},
    kept: { with: 'mail_recipients', on: ['recipient_id'], why: 'it is about that recipient' },
  },
};
