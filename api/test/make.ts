// Makes what a test does not care about. The cast: the bakery (a site), Ada (a visitor, later a lead).
import { randomUUID } from 'node:crypto';

/** How often a race is run whose order no lock decides; each of its kinds several times. */
export const RACES = Number(process.env.RACES ?? 18);

/** An event as a browser sends it; give the fields the test is about. */
export function makeEvent(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { eventId: randomUUID(), anonId: 'ada-browser-1', eventType: 'page_view', path: '/', ...fields };
}

/** An address that no other test has. */
export const address = () => `ada-${randomUUID()}@example.com`;
/** A browser's own id that no other test has. */
export const anon = () => `visitor-${randomUUID()}`;

export const minutes = (count: number) => count * 60_000;
export const hours = (count: number) => count * 3_600_000;
/** An ISO instant so many milliseconds before now. */
export const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
