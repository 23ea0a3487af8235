// What is kept of reports by mail.
import type { Tables } from '../../ground/tables.ts';

export const mailReportTables: Tables = {
  mail_recipients: {
    holds: 'who gets reports and warnings about a site by mail: the address, and when they said yes or left',
    whose: 'hash',
    columns: {
      email_hash: 'digest',
      mail_to: 'goes, found',
      language: 'bounded',
      link_key: 'digest',
    },
    kept: [
      { ever: 'as long as mail is wanted there' },
      {
        for: { days: 30 },
        since: 'asked_at',
        where: 'target.confirmed_at is null and target.left_at is null',
        why: 'never answered the mail that asked',
        counted: 'unansweredRecipients',
      },
      {
        for: { days: 30 },
        since: 'left_at',
        why: 'so that nobody is asked again at once',
        counted: 'recipientsWhoLeft',
      },
    ],
  },
  mail_recipient_addresses: {
    holds: 'the address of who gets reports and warnings by mail, encrypted',
    columns: { sealed: 'sealed' },
    kept: { with: 'mail_recipients', on: ['recipient_id'], why: 'it is of that recipient' },
  },
  mail_reports: {
    holds: 'a report that leaves by mail: how often, when, in which language',
    columns: { every: 'bounded', time_zone: 'bounded', language: 'bounded', made_by: 'operator' },
    kept: { ever: 'until it is deleted' },
  },
  mail_report_copies: {
    holds: 'who gets which report, and how far they were told',
    columns: { last_error: 'bounded' },
    kept: { with: 'mail_recipients', on: ['recipient_id'], why: 'it is about that recipient' },
  },
};
