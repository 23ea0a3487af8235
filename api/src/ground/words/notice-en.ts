// What a visitor is told about their data, in English; notice-fr.ts says the same.

/** What the notice depends on: settings really in force, periods as they are enforced. */
export interface NoticeFacts {
  who: string;
  address: string | null;
  contact: string | null;
  officer: string | null;
  policyUrl: string | null;
  policyVersion: string | null;
  storedIn: string | null;
  /** Host of the mail server; null: no mail is sent. */
  mailServer: string | null;
  /** Whether forms are checked by Cloudflare Turnstile. */
  challenge: boolean;
  /** Whether encrypted copies of the backups leave the machine; null: they do not. */
  backupsElsewhere: 'encrypted' | 'plain' | null;
  doubleOptIn: boolean;
  /** What of a visit is tied to an address that was left (the site's setting). */
  linking: 'off' | 'consent' | 'form' | 'on';
  /** Whether visits of the same address and browser shortly before a form are tied to it by a guess. */
  guessedLinks: boolean;
  /** Whether visitors who agreed to be known again are scored. */
  scored: boolean;
  /** Whether other systems are told who did something: webhooks that were asked for with `personal`. */
  personalWebhooks: boolean;
  /** Whether anybody may be named on the site, and whether anybody wrote a review. */
  namesShown: boolean;
  reviews: boolean;
  /** Whether a shop or a server tells purchases. */
  purchases: boolean;
  periods: Record<string, number>;
}

export interface NoticeSection {
  title: string;
  lines: string[];
}

const TIED_EN: Record<NoticeFacts['linking'], string> = {
  off: 'Of your visits only where the one you came with began is kept with an address that you leave.',
  consent:
    'Once you leave your address, your visits with this browser are kept with it only if you agree to that; else only where the visit began.',
  form: 'Once you leave your address, your visits with this browser are kept with what you sent, to know what led you here.',
  on: 'Once you leave your address, your visits with this browser are kept with what you sent, to know what led you here.',
};

export const noticeEn = (f: NoticeFacts): { title: string; sections: NoticeSection[] } => ({
  title: 'What happens with your data',
  sections: [
    {
      title: 'Who is responsible',
      lines: [
        [f.who, f.address].filter(Boolean).join(', '),
        ...(f.officer ? [`Responsible for personal information: ${f.officer}`] : []),
        f.contact ? `Write to: ${f.contact}` : 'No address for questions has been given yet.',
        ...(f.policyUrl
          ? [`The full policy${f.policyVersion ? ` (${f.policyVersion})` : ''}: ${f.policyUrl}`]
          : []),
      ],
    },
    {
      title: 'What for',
      lines: [
        'To count which pages are read and where visitors come from.',
        'To answer what you send us with a form.',
        ...(f.purchases ? ['To know what is bought, and what led to it.'] : []),
        ...(f.reviews || f.namesShown
          ? [
              `To show other visitors ${f.reviews ? 'what customers say' : 'what happens here'}${f.namesShown ? ', with your first name and your place only if you agreed to exactly that' : ''}.`,
            ]
          : []),
        `To write to you, if you agreed to it${f.doubleOptIn ? ' and confirmed it by the link we mailed you' : ''}, or as long as the law allows it after you wrote to us or bought something.`,
        `${TIED_EN[f.linking]}${f.guessedLinks ? ' Visits from the same address and browser in the minutes before may be added as a guess; no mail and no total depends on it.' : ''}`,
      ],
    },
    {
      title: 'Which data',
      lines: [
        'Of a visit: pages, time, the page or campaign you came from, kind of device, browser and system, country where it is looked up, and how fast pages loaded. Your network address and your browser’s name are kept only as keyed hashes, never as they are.',
        'Without an identifier in your browser you are a visitor of one day: told by a hash of your address and browser with a random salt that lives two days and is then deleted, so that nobody can recognise you on another day or another site.',
        'An identifier is kept in your browser only if the page is set to it and you agreed where the law wants that. We use no cookies. Where the page asks you, your answer is kept in your browser and, without your address, by us: what you chose, when, and the words you read.',
        ...(f.scored
          ? [
              'Of visits under an identifier that you agreed to: a program works out how interested you seem, as a number from 0 to 100, from the last 30 days. It ends with your agreement, and when you object.',
            ]
          : []),
        'Of a form: what you typed, when and on which page, and what you agreed to, in its exact words.',
        ...(f.purchases
          ? [
              'Of a purchase, which our shop tells this software: your address, what kind, when, the amount, which products and the country, and whether it was cancelled or refunded.',
            ]
          : []),
        ...(f.reviews
          ? [
              'Of a review: your address, what you wrote, your stars, what you say you got for it or have to do with us, and whether you may be shown with it.',
            ]
          : []),
      ],
    },
    {
      title: 'Who receives it',
      lines: [
        'Nobody buys it or gets it for advertising. We run the software that keeps it ourselves.',
        ...(f.namesShown || f.reviews
          ? [
              `Visitors of our site see ${[f.namesShown ? 'your first name and your place' : '', f.reviews ? 'your review' : ''].filter(Boolean).join(', and ')} if you agreed to exactly that, until you take it back.`,
            ]
          : []),
        ...(f.personalWebhooks
          ? [
              'Other systems of ours, such as our list of customers, are told at once when you leave your address, agree, leave or buy something, with your address. Ask us which.',
            ]
          : []),
        ...(f.mailServer ? [`Our mail service (${f.mailServer}) carries mails to you.`] : []),
        ...(f.challenge
          ? [
              'Cloudflare Turnstile, which keeps robots out of our forms, sees your network address when you send one.',
            ]
          : []),
        ...(f.backupsElsewhere
          ? [
              f.backupsElsewhere === 'encrypted'
                ? 'Copies of our backups lie with a storage provider, encrypted so that only we can read them.'
                : 'Copies of our backups lie with a storage provider.',
            ]
          : []),
        ...(f.periods.archiveMonths
          ? ['What was done in older visits lies with a storage provider, without addresses.']
          : []),
      ],
    },
    {
      title: 'Where, and for how long',
      lines: [
        f.storedIn ? `It is stored in: ${f.storedIn}` : 'Ask us where it is stored.',
        `Visits: ${f.periods.eventDays} days${f.periods.archiveMonths ? `, and what was done in them, without addresses, ${f.periods.archiveMonths} months in an archive` : ''}; numbers that name nobody: ${f.periods.rollupMonths} months.`,
        `What you wrote in a form: ${f.periods.payloadMonths} months; what is held back as suspicious: ${f.periods.quarantineDays} days. Your address: as long as you agree; until ${f.periods.lapsedLeadDays} days after the law’s time has run out; if you never agreed, ${f.periods.pendingLeadMonths} months after we last heard from you; if you asked for a mail of confirmation and did not confirm, ${f.periods.unconfirmedLeadDays} days; if you left, ${f.periods.withdrawnLeadYears} years, so that nobody writes to you again; after that as a hash.`,
        `Proof of what you agreed to or withdrew: ${f.periods.consentRecordYears} years after the last of it; after an erasure only hashes and times. Your answer to the question about your browser: ${f.periods.browserChoiceYears} years after it ended. That an address unsubscribed, as a hash: ${f.periods.unsubscribedYears} years.${f.reviews ? ` A review: ${f.periods.reviewYears} years.` : ''} Backups: ${f.periods.backupDays} days.`,
      ],
    },
    {
      title: 'Your rights',
      lines: [
        'You can ask what we hold about you and get a copy, have it corrected or erased, object to it or have its use restricted, and withdraw consent at any time; every mail has a link for that. It costs nothing and has no disadvantage for you.',
        ...(f.mailServer
          ? ['Most of it you can do yourself, at once, by the link at the end of this page.']
          : []),
        f.contact
          ? `Write to ${f.contact}; you get an answer within 30 days.`
          : 'Ask the owner of the site; you get an answer within 30 days.',
        'Signals of your browser (Global Privacy Control, Do Not Track) are honoured: your visit is then counted, but tied to nothing.',
      ],
    },
    {
      title: 'If you are not satisfied',
      lines: [
        'You can complain to the Office of the Privacy Commissioner of Canada (priv.gc.ca), in Quebec to the Commission d’accès à l’information (cai.gouv.qc.ca), in the European Union to the data protection authority where you live.',
      ],
    },
  ],
});
