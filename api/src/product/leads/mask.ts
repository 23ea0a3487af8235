// Leads for who works with numbers: where each came from and what became of it, and not who it is.
import { type Field, impersonal } from '../custom-fields/values.ts';
import type { LeadRow, Timeline } from './shapes.ts';

/** ada@example.co.uk → a***@e***.uk: enough to tell two rows apart, and to know nobody. */
export function maskedAddress(email: string): string {
  const at = email.lastIndexOf('@');
  const domain = email.slice(at + 1);
  const first = (text: string) => [...text][0] ?? '';
  return `${first(email)}***@${first(domain)}***.${domain.split('.').at(-1)}`;
}

/**
 * Without what they wrote or were written about them, and without what acts in their name.
 * fields  of leads, that the site defined: those that say nothing of a person are shown
 */
export const masked = <Lead extends LeadRow>(lead: Lead, fields: readonly Field[]): Lead => ({
  ...lead,
  email: maskedAddress(lead.email),
  emailDomain: '***',
  attributes: impersonal(fields, lead.attributes),
});

/** fields  of props. Records of consent are evidence, which is somebody else's to see. */
export const maskedTimeline = (timeline: Timeline, fields: readonly Field[]): Timeline => ({
  ...timeline,
  events: timeline.events.map((event) => ({ ...event, props: impersonal(fields, event.props) })),
  submissions: timeline.submissions.map((submission) => ({ ...submission, payload: null })),
  consents: [],
});
