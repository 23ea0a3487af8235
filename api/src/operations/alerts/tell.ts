// Decides who is told when: an alarm once it has held long enough, a reminder now and then, and its end.
import type { Alarm } from '../../ground/feature.ts';
import { RULES } from './rules.ts';

/** Kept over a restart, so that a restart neither repeats an alarm nor forgets to say that it is over. */
export interface Memory {
  alarms: Record<
    string,
    { since: string; severity: Alarm['severity']; message: string; toldAt: string | null }
  >;
  /** When notices left, for the limit. */
  sentAt: string[];
}
export const emptyMemory = (): Memory => ({ alarms: {}, sentAt: [] });

export interface Notice {
  kind: 'alarm' | 'worse' | 'reminder' | 'recovered' | 'trial' | 'notice';
  id: string;
  severity: Alarm['severity'];
  message: string;
  since: string;
}

/** A reminder every six hours while it lasts; at most ten notices an hour in all, the rest wait. */
const REMIND_MS = 6 * 3_600_000;
const HOUR_MS = 3_600_000;
const NOTICES_PER_HOUR = 10;

const criticalFirst = (a: Alarm, b: Alarm) =>
  Number(b.severity === 'critical') - Number(a.severity === 'critical');

/**
 * Pure: what is wrong now, and what was known, give the notices to send and what to remember.
 * A notice that the limit holds back is not lost: its alarm stays untold, and comes with the next round that has room.
 */
export function decide(
  alarms: Alarm[],
  memory: Memory,
  now: Date,
  rules: readonly { id: string; minutes: number }[] = RULES,
): { notices: Notice[]; memory: Memory } {
  const at = now.toISOString();
  const sentAt = memory.sentAt.filter((sent) => now.getTime() - Date.parse(sent) < HOUR_MS);
  let room = NOTICES_PER_HOUR - sentAt.length;
  const notices: Notice[] = [];
  const next: Memory = { alarms: {}, sentAt };
  const send = (notice: Notice): boolean => {
    if (room <= 0) return false;
    room -= 1;
    notices.push(notice);
    sentAt.push(at);
    return true;
  };

  // critical ones first, so that the limit never holds them back for a warning
  for (const { id, severity, message } of [...alarms].sort(criticalFirst)) {
    const known = memory.alarms[id];
    const since = known?.since ?? at;
    let toldAt = known?.toldAt ?? null;
    const minutes = rules.find((rule) => rule.id === id)?.minutes ?? 1;
    // "one minute" means at once: the rules are looked at every minute
    const held = now.getTime() - Date.parse(since) >= (minutes - 1) * 60_000;
    const worse = toldAt !== null && known?.severity === 'warning' && severity === 'critical';
    const kind = toldAt === null ? 'alarm' : worse ? 'worse' : 'reminder';
    const due = toldAt === null ? held : worse || now.getTime() - Date.parse(toldAt) >= REMIND_MS;
    if (due && send({ kind, id, severity, message, since })) toldAt = at;
    next.alarms[id] = {
      since,
      severity: toldAt === null || toldAt === at ? severity : (known?.severity ?? severity),
      message,
      toldAt,
    };
  }
  for (const [id, known] of Object.entries(memory.alarms)) {
    if (next.alarms[id]) continue;
    // whoever never heard of it needs not hear that it is over
    if (known.toldAt === null) continue;
    const notice: Notice = {
      kind: 'recovered',
      id,
      severity: known.severity,
      message: known.message,
      since: known.since,
    };
    if (!send(notice)) next.alarms[id] = known;
  }
  return { notices, memory: next };
}

const WORDS: Record<Notice['kind'], string> = {
  alarm: 'ALARM',
  worse: 'WORSE',
  reminder: 'STILL',
  recovered: 'RECOVERED',
  trial: 'TRIAL',
  notice: 'NOTICE',
};

/** One line for a person, and for chat tools that show a field called text. */
export function textOf(notice: Notice, where: string): string {
  return `[${where}] ${WORDS[notice.kind]} (${notice.severity}) ${notice.id}: ${notice.message}`;
}
