// What must hold for a notification beyond the shape of its fields: what its kind claims, its words, its life.
import { AppError, type Issue } from '../../ground/lib/app-error.ts';
import type { Claim, Content, NewNotification, NotificationPatch, Status } from './schema.ts';
import { checkTexts, type Kind } from './texts.ts';

export const NOTIFICATIONS_MAX = 50;
export const RUNNING_MAX = 20;
export const VERSIONS_MAX = 500;

const ACTS = /^(leads|signups|activations|purchases)$/;
const CLAIMS_OF: Record<Kind, RegExp | null> = {
  recent_activity: ACTS,
  count: /./,
  live_visitors: /^visitors$/,
  review: /^reviews$/,
  message: null,
};
const WHERE_OF: [RegExp, readonly (keyof Claim['where'])[]][] = [
  [/^purchases$/, ['product', 'country']],
  [/^(signups|activations)$/, []],
  [/^leads$/, ['form']],
  [/^(visitors|event:.*)$/, []],
  [/^page_views$/, ['path']],
  [/^reviews$/, ['product', 'ratingAtLeast']],
];

/** Only what is named: what is left out stays. */
export const definedOf = (changes: Omit<NotificationPatch, 'status'>): Partial<Content> =>
  Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));

/** throws  invalid_request or unbacked_claim, with the paths of its fields */
export function checkNotification({ kind, claim, source, texts, link, schedule }: NewNotification): void {
  const issues = [...claimFaults(kind, claim), ...scheduleFaults(schedule)];
  if (source && kind !== 'message') issues.push({ path: 'source', message: 'only of a message' });
  if (issues.length > 0)
    throw new AppError('invalid_request', 'This notification cannot be like that.', { issues });
  checkTexts(kind, texts, link);
  if (kind === 'message' && !source)
    throw new AppError(
      'unbacked_claim',
      'A message is the owner’s word: say in source {url, statedOn} where it can be checked and since when.',
      { issues: [{ path: 'source', message: 'is needed' }] },
    );
}

function claimFaults(kind: Kind, claim: Claim | null): Issue[] {
  const allowed = CLAIMS_OF[kind];
  if (!allowed) return claim ? [{ path: 'claim', message: 'a message claims nothing' }] : [];
  if (!claim) return [{ path: 'claim', message: 'is needed' }];
  if (!allowed.test(claim.of)) return [{ path: 'claim.of', message: `is nothing a ${kind} can speak of` }];
  const known = WHERE_OF.find(([of]) => of.test(claim.of))![1];
  // who is here now may be here on one page
  const names = kind === 'live_visitors' ? ['path'] : known;
  return Object.keys(claim.where).flatMap((name) =>
    (names as string[]).includes(name) || claim.where[name as keyof Claim['where']] === undefined
      ? []
      : [{ path: `claim.where.${name}`, message: `${claim.of} have none` }],
  );
}

function scheduleFaults({ from, to, hours }: NewNotification['schedule']): Issue[] {
  const issues: Issue[] = [];
  if (from && to && Date.parse(from) >= Date.parse(to))
    issues.push({ path: 'schedule.to', message: 'is after from' });
  hours.forEach((span, at) => {
    if (span.from >= span.to) issues.push({ path: `schedule.hours.${at}`, message: 'to is after from' });
  });
  return issues;
}

const NEXT: Record<Status, readonly Status[]> = {
  draft: ['scheduled', 'running'],
  scheduled: ['running', 'paused', 'ended'],
  running: ['paused', 'ended'],
  paused: ['scheduled', 'running', 'ended'],
  ended: [],
};

/**
 * The status it gets when one is asked for: what is to run later is scheduled until then.
 * throws  conflict, when its life has no such step
 */
export function nextStatus(
  now: Status,
  wanted: Status,
  { from, to }: NewNotification['schedule'],
  atMs: number,
): Status {
  const isEarly = from !== null && Date.parse(from) > atMs;
  const next = wanted === 'running' && isEarly ? 'scheduled' : wanted;
  if (next === 'scheduled' && !isEarly)
    throw new AppError(
      'conflict',
      'To be scheduled, schedule.from must lie in the future; else set it running.',
    );
  if ((next === 'running' || next === 'scheduled') && to !== null && Date.parse(to) <= atMs)
    throw new AppError('conflict', 'Its schedule is over: move schedule.to first.');
  if (now === next || NEXT[now].includes(next)) return next;
  throw new AppError(
    'conflict',
    now === 'ended'
      ? 'It has ended, and stays so. Make a new one.'
      : `What is ${now} can become ${NEXT[now].join(' or ')}, not ${next}.`,
  );
}
