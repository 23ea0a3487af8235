// Reports by mail, in English: in a chunk of its own, with the page that says it.
export const reports = {
  title: 'Reports by mail',
  says: 'Every week or month the numbers of this site, to whoever says yes by a mail first. Each mail has a link that ends them.',
  every: 'How often',
  week: 'Every week',
  month: 'On the first of the month',
  weekday: 'On',
  weekdays: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'],
  hour: 'At',
  hours: (zone: string) => `hours of ${zone}`,
  language: 'In',
  recipients: 'To',
  recipientsHint: 'Addresses, with a comma between',
  make: 'Send reports',
  end: 'End',
  asked: 'was asked',
  confirmed: 'said yes',
  left: 'left',
  sent: (when: string) => `last sent ${when}`,
  failed: (why: string) => `not taken: ${why}`,
  none: 'None yet.',
};
export type ReportsWords = typeof reports;
