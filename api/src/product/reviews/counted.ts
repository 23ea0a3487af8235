// Which reviews count, which are verified and which may be shown: SQL that the feed, the average and the list agree on.

/** SQL, of a row of reviews: its person bought it before they wrote, as the shop itself told, and kept it. */
export const isVerified = (r: string): string =>
  `exists (select from conversions p where p.site_id = ${r}.site_id and p.lead_id = ${r}.lead_id and p.kind = 'purchase' and p.origin = 'server'
    and p.voided_at is null and p.occurred_at <= ${r}.written_at and (${r}.product is null or p.items is null or ${r}.product = any (p.items)))`;

/** SQL, of the first visitor v of its lead: nobody's row, and nobody's lead, is a person's. */
export const notHuman = {
  human: "coalesce(v.bot_verdict, 'human') = 'human'",
  staff: "v.bot_verdict = 'staff'",
  bots: "coalesce(v.bot_verdict, 'human') not in ('human', 'staff')",
} as const;

/** SQL, beside reviews r: the newest record s about each, and its details d. */
export const STANDING = `left join lateral review_standing(r.site_id, r.lead_id, r.review_id) s on true
    left join display_details d on d.site_id = s.site_id and d.record_id = s.record_id`;

/** SQL, with STANDING: granted, withdrawn, or none for these words. */
export const PERMISSION =
  "case when s.action = 'withdrawn' then 'withdrawn' when d.review_hash = sha256(convert_to(r.words, 'UTF8')) then 'granted' else 'none' end";

/** SQL: the words that stand are those that were allowed, by the newest record s and its details d. */
export const IS_ALLOWED = "s.action = 'granted' and d.review_hash = sha256(convert_to(r.words, 'UTF8'))";
