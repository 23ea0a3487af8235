// Which reviews count, which are verified and which may be shown: SQL that the feed, the average and the list agree on.
import { formOf, senderIs } from '../bots/people.ts';

/** SQL, of a row of reviews: its person bought it before they wrote, as the shop itself told, and kept it. */
export const isVerified = (r: string): string =>
  `exists (select from conversions p where p.site_id = ${r}.site_id and p.lead_id = ${r}.lead_id and p.kind = 'purchase' and p.origin = 'server'
    and p.voided_at is null and p.occurred_at <= ${r}.written_at and (${r}.product is null or p.items is null or ${r}.product = any (p.items)))`;

/** SQL, beside reviews r: its lead l, its first visitor v, and how its form was taken, or else the lead's first. */
export const WRITTEN = `left join leads l on l.site_id = r.site_id and l.lead_id = r.lead_id
     left join visitors v on v.site_id = l.site_id and v.visitor_id = l.first_visitor_id
     ${formOf('s.site_id = r.site_id and s.lead_id = r.lead_id and s.submission_id = coalesce(r.submission_id, s.submission_id)')}`;
/** SQL, with WRITTEN: human, staff, or why not. Nobody's row, and nobody's lead, is a person's. */
export const WRITER_IS = senderIs('v');

/** SQL, beside reviews r: the newest record s about each, and its details d. */
export const STANDING = `left join lateral review_standing(r.site_id, r.lead_id, r.review_id) s on true
    left join display_details d on d.site_id = s.site_id and d.record_id = s.record_id`;

/** SQL, with STANDING: granted, withdrawn, or none for these words. */
export const PERMISSION =
  "case when s.action = 'withdrawn' then 'withdrawn' when d.review_hash = sha256(convert_to(r.words, 'UTF8')) then 'granted' else 'none' end";

/** SQL: the words that stand are those that were allowed, by the newest record s and its details d. */
export const IS_ALLOWED = "s.action = 'granted' and d.review_hash = sha256(convert_to(r.words, 'UTF8'))";
