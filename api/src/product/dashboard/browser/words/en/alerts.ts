// Rules that warn by mail, in English: in a chunk of its own, with the page that says it.
export const alerts = {
  title: 'Warnings by mail',
  says: 'Each hour is compared with the same hour of the last four weeks, without robots. At most one mail in six hours, to whoever says yes by a mail first.',
  kind: 'When',
  kinds: {
    spike: 'More visits than usual',
    drop: 'Fewer visits than usual',
    silence: 'No visits',
    lead_drought: 'No leads in a day or a week',
    goal_zero: 'An event is missing for a day',
  },
  sensitivity: 'How soon',
  sensitivities: { low: 'Only when it is plain', normal: 'Usual', high: 'Early' },
  goal: 'Name of the event',
  recipients: 'To',
  recipientsHint: 'Addresses, with a comma between',
  make: 'Warn',
  end: 'End',
  told: (when: string) => `last warned ${when}`,
  none: 'None yet.',
};
export type AlertsWords = typeof alerts;
