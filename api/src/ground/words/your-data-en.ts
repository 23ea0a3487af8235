// The page on which people see, correct, take along and delete what is held about them, in English; your-data-fr.ts says the same.

export const yourDataEn = {
  title: 'Your data',
  link: 'See, correct or delete your data',

  what: (who: string) =>
    `See what ${who} holds about you, correct it, take it along, withdraw what you agreed to, or have it deleted. It costs nothing.`,
  why: 'We mail a link to your address, so that nobody else can do this in your place.',
  yourAddress: 'Your email address',
  sendLink: 'Mail me the link',
  notAnAddress:
    'This does not look like an email address. It needs an @ and a domain, such as ada@example.com.',
  asked: 'Look into your mailbox',
  onItsWay: (minutes: number) =>
    `If anything is held about this address, a mail with a link comes within a few minutes. The link works for ${minutes} minutes.`,
  noneCame:
    'None came? Look among the unwanted mails. If it is not there, nothing is held about this address; at most three links are mailed in an hour.',
  noMail: 'This site mails no links.',
  writeTo: (contact: string) =>
    `Write to ${contact}, from the address in question. You get an answer within 30 days.`,
  askOwner: 'Ask the owner of the site. You get an answer within 30 days.',
  somethingElse: (contact: string) => `Something else is wrong, or you have a question? Write to ${contact}.`,

  over: 'This link works no more',
  askAgain: 'It ran out, or was not copied whole. Ask for a new one:',
  worksUntil: (time: string) =>
    `This page can be opened until ${time} by the link we mailed you. Close it on a computer that others use.`,

  contact: 'Who you are to us',
  address: 'Email address',
  name: 'Name',
  since: 'Since',
  verified: 'Address confirmed',
  first: 'First page seen',
  imported: 'Carried in by us from a list',
  noLead: 'No contact is kept under this address.',
  heldBack: 'Messages held back as suspicious, and deleted after a month',
  restricted: 'Your data is kept and used for nothing.',

  correct: 'Correct',
  correctName: 'Correct the name',
  newAddress: 'New email address',
  correctAddress: 'Change the address',
  newAddressHow: 'We mail a link to the new address. It counts once you open that and confirm.',
  changed: 'Done: the name is corrected.',
  mailedToNew: 'A mail went to the new address. Nothing changes until the link in it is confirmed.',
  tooMany: 'Too many links were asked for today. Try again tomorrow, or write to us.',
  sameAddress: 'This is the address we have already.',

  agreed: 'What you agreed to',
  nothingAgreed: 'Nothing.',
  words: 'In these words',
  status: {
    pending: 'asked for, not confirmed',
    implied: 'not asked, allowed by law for a time',
    express: 'agreed',
    withdrawn: 'withdrawn',
    expired: 'over',
  },
  sinceDay: (day: string) => `since ${day}`,
  untilDay: (day: string) => `until ${day}`,
  purpose: { email: 'mails to you', profile: 'keeping your visits with your address' } as Record<
    string,
    string
  >,
  withdrawThese: 'What do you withdraw?',
  everything: 'Everything, also what is not named here',
  withdraw: 'Withdraw',
  tickOne: 'Nothing was withdrawn: tick at least one.',
  withdrawn: 'Done: withdrawn. It holds from this moment.',
  history: 'Everything that was said about it',
  action: {
    requested: 'asked for, not confirmed yet',
    not_given: 'a form that agreed to nothing',
    granted: 'agreed',
    regranted: 'agreed again',
    renewed: 'renewed',
    reaffirmed: 'agreed anew',
    confirmed: 'confirmed by mail',
    withdrawn: 'withdrawn',
    expired: 'its time was over',
    imported: 'carried in from a list',
  },
  all: 'everything',

  sent: 'What you sent us',
  nothingSent: 'No forms.',
  answersGone: 'What you wrote is deleted already.',
  form: 'Form',

  shown: 'What of you may be shown to others',
  named: 'You allowed us to name you on the site.',
  notNamed: 'You are named nowhere: you did not allow it, or took it back.',
  reviewOf: (day: string) => `Your review of ${day}`,
  reviewText: 'What you wrote',
  rating: 'Stars',
  ofFive: (stars: number) => `${stars} of 5`,
  reviewAbout: 'About',
  mayBeShown: 'May it be shown?',
  may: {
    published: 'Yes: you allowed it, and it is published.',
    waiting: 'Yes: you allowed it. It is not published so far.',
    declined: 'You allowed it; we do not publish it.',
    none: 'No: you did not allow it.',
    withdrawn: 'No: you took that back.',
  },
  heldToShow: 'Held back as suspicious, with leave to show something of you',
  takeBack: 'Show nothing of me any more',
  takeBackHow:
    'From this moment no review of yours is published and you are named nowhere, also where something still waits. What you wrote stays with us until you delete it; what we may mail you does not change.',
  takenBack: 'Done: nothing of you is shown any more.',

  visits: 'Your visits',
  pages: 'Pages seen',
  visitCount: 'Visits',
  browsers: 'Browsers tied to your address',
  between: 'From, to',
  notTied: 'No visit is tied to your address.',
  objected: 'You objected: no visit is tied to your address any more.',
  object: 'Tie no visits to me',
  objectHow:
    'What ties browsers to your address is undone for good, and nothing is tied to it from now on. Your forms and what you agreed to stay.',
  objectionTaken: 'Done: no visit is tied to your address any more.',

  bought: 'What became of it',
  conversion: {
    signup: 'signed up',
    activation: 'first use',
    purchase: 'purchase',
    email_verify: 'address confirmed',
  },
  more: (count: number) => `and ${count} more, in the file`,

  requests: 'What you asked of us',
  noRequests: 'Nothing so far.',
  requestKind: {
    access: 'to see it',
    erasure: 'deletion',
    correction: 'correction',
    objection: 'objection',
    restriction: 'to use it for nothing',
    withdrawal: 'withdrawal',
    portability: 'a copy to take along',
  },
  open: (day: string) => `open, to be answered by ${day}`,
  outcome: { done: 'done', refused: 'refused', dropped: 'dropped' },

  take: 'Take it along',
  takeHow: 'Everything that is held about you, as a file that programs read (JSON).',
  download: 'Download everything',

  delete: 'Delete',
  deleteHow: 'Everything is deleted at once, and cannot be brought back. You are asked once more.',
  deleteAll: 'Delete everything about me …',
  sure: 'Delete everything?',
  goes: 'What goes',
  goesList: [
    'your address, your name and what you wrote in forms;',
    'the tie between your browsers and you: your visits stay in the totals, nameless;',
    'the words and details of what you agreed to, and mails that wait.',
  ],
  stays: 'What stays, and why',
  staysList: (years: number, months: number, logYears: number, backupDays: number) => [
    'that this address was deleted, or unsubscribed, as a keyed hash nobody can read: so that no old list or backup brings it back;',
    `when you agreed or withdrew, as times and hashes, for ${years} years: the law asks us for the proof;`,
    `that you asked for it, and when, for ${months} months, since an authority may ask for the register; and that it was done, for ${logYears} years in our log, as a number;`,
    `copies in backups, for ${backupDays} days at most: one that is restored deletes you again.`,
  ],
  otherTools:
    'If your address was given to another service, such as one that mails newsletters, ask us to have it deleted there too.',
  yesDelete: 'Yes, delete everything',
  back: 'No, back to my data',
  deleted: 'Everything is deleted',
  certificate: (id: string, time: string) => `Deleted ${time}. Number of the certificate: ${id}`,
  backupsUntil: (day: string) => `Backups hold copies until ${day} at the latest.`,
  nothingThere: 'Nothing is held about this address any more.',

  confirmAddress: 'Is this your address?',
  takesPlace: (who: string) => `${who} will use this address for you, in place of the one before.`,
  yesAddress: 'Yes, use this address',
  addressChanged: 'Your address is changed',
  addressTaken: 'This address is another person’s here',
  takenHow: 'So nothing was changed. To delete the data kept under it, ask for a link to that address.',
  askByNew: 'Links to your data go to the new address from now on.',

  mailLook: {
    subject: (who: string) => `Your data at ${who}`,
    says: (who: string, minutes: number) =>
      `Here you see what ${who} holds about you, and can correct, take along or delete it. The link works for ${minutes} minutes; give it to nobody:`,
    button: 'Open my data',
    otherwise: 'If you did not ask for this, do nothing: nobody sees anything without this mail.',
  },
  mailAddress: {
    subject: (who: string) => `Your new address at ${who}`,
    says: (who: string, minutes: number) =>
      `Please confirm that ${who} shall use this address for you. The link works for ${minutes} minutes:`,
    button: 'Confirm this address',
    otherwise: 'If you did not ask for this, do nothing: nothing changes.',
  },
  otherLanguage: 'En français',
};

export type YourDataWords = typeof yourDataEn;
