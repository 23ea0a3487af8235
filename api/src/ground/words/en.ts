// What people read on our pages and in our mails, in English; fr.ts says the same.
import type { ErrorCode } from '../lib/app-error.ts';

export const en = {
  privacyLink: 'What happens with your data',

  itRuns: 'It runs',
  whatItIs: 'Counts visits to a website and takes its forms, on a machine of that website’s owner.',
  forOwner:
    'You own it? On the machine, or from your laptop, scripts/status shows how it fares and scripts/admin-key prints the key.',
  allRoutes: 'Everything that can be asked',

  thankYou: 'Thank you',
  received: 'We have received your message.',
  closePage: 'You can close this page.',

  checkAddress: 'Please check your email address',
  notAnAddress: (typed: string) => `“${typed}” does not look like an email address.`,
  addressMissing: 'The email address is missing.',
  nothingLost: 'Nothing else is lost: correct it and send again.',
  emailAddress: 'Email address',
  sendAgain: 'Send again',

  unsubscribe: 'Unsubscribe',
  named: 'You allowed this site to show your name to its visitors.',
  stopNaming: 'Stop showing my name',
  notNamedAnyMore: 'If your name was shown on the site, it no longer is.',
  pressToUnsubscribe: (who: string | null) =>
    `Press the button, and ${who ?? 'we'} will send you no more mail.`,
  whatEnds: 'What shall end?',
  everythingEnds: 'Everything I agreed to here',
  onlyMail: 'Only mails to me',
  onlyPurpose: (purpose: string) => `Only “${purpose}”`,
  onlyThatEnded: 'Only that has ended. What else you agreed to stays. You can close this page.',
  unsubscribed: 'You are unsubscribed',
  noMoreMail: 'You will get no more mail from us. You can close this page.',
  done: 'Done',
  noMailIfKnown: 'If we have this address, it will get no more mail from us.',
  linkBroken: 'This link does not work',
  addressIncomplete:
    'The address of this page is not complete. Open the link in the mail again, or copy all of it.',

  confirmTitle: 'Confirm your address',
  wouldLikeToWrite: (who: string) => `${who} would like to write to you at the address this mail came to.`,
  yesConfirm: 'Yes, confirm',
  openAgain: (days: number) =>
    `Open the link in the mail again, or copy all of it. It works for ${days} days.`,
  confirmed: 'Your address is confirmed. You can close this page.',
  confirmationArrived: 'Your confirmation has arrived',
  confirmationSafe:
    'We have it safe, and enter it within minutes: a part of our service is away just now. You need do nothing more, and can close this page.',
  shouldItBeOld: 'Should the link have been too old, you can fill in the form again.',
  linkTooOld: 'This link is too old',
  fillInAgain: 'Fill in the form again, and we send you a new one.',

  mailSubject: (who: string) => `Please confirm your address for ${who}`,
  mailAsks: (who: string) => `Please confirm that ${who} may write to you at this address:`,
  mailButton: 'Confirm my address',
  mailElse: 'If you did not ask for this, do nothing: you will get no further mail.',

  staffLinkEnded: 'It was ended, or another took its place. Ask whoever gave it to you.',
  thisSite: 'this site',
  visitsApart: 'Your visits are kept apart',
  visitsCount: 'Your visits count',
  apartUntil: (site: string, day: string | null) =>
    `Visits to ${site} from this network are in none of its numbers${day ? `, until ${day}` : ', as its owner lists the address'}.`,
  countAgain: 'Count my visits again',
  workHere: (site: string, days: number) =>
    `Do you work on ${site}? Press the button, and visits from this network, everyone’s who shares it, are kept out of its numbers for ${days} days.`,
  keepApart: 'Keep my visits apart',

  waitAMoment: 'Please wait a moment',
  notSent: 'This could not be sent',
  notDone: 'This could not be done',
  openLinkAgain: 'Open the link in the mail again.',
  goBack: 'Go back with your browser’s back button: what you typed is still there.',
  backToPage: 'Back to the page',
  request: (id: string) => `Request ${id}`,
  /** null: the refusal's own sentence, which is English. */
  refusal: null as Record<ErrorCode, string> | null,
};

export type Words = typeof en;
