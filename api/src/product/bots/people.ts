// Which rows are people's: SQL that claims, acts, reviews and their evidence agree on. Not robots', not the site's own people's.

/**
 * SQL, of a row of visitors that may be absent: human, staff, or why not. A verdict stands before what the visits say of
 * themselves; of whom there is no row, nothing says that they are none.
 */
export const visitorIs = (v: string): string =>
  `case when ${v}.bot_verdict is not null then ${v}.bot_verdict when ${v}.visitor_id is null or ${v}.first_human_at is not null then 'human'
    when (select seen.bot_reason from events seen where seen.site_id = ${v}.site_id and seen.visitor_id = ${v}.visitor_id
      and seen.occurred_at between ${v}.first_seen_at and ${v}.last_seen_at order by seen.occurred_at desc limit 1) = 'staff' then 'staff' else 'bot' end`;

/** SQL, behind a select whose columns are asked about more than once: what judges a row is looked up once for it. */
export const ONCE = 'offset 0';

/**
 * SQL, a join: form.taken_for, what the event of a form was taken for, by the verdict that stands. So it is known of a lead
 * that is tied to no browser, and of a form that somebody sent from the shop who was at home before; null once its event is over.
 * whose  of submissions s, which; the first is looked at
 */
export const formOf = (whose: string): string =>
  `left join lateral (
     select coalesce(e.bot_reason, 'human') as taken_for
     from (select s.site_id, s.event_id from submissions s where ${whose} order by s.submitted_at, s.submission_id limit 1) sent
       join event_keys k on k.site_id = sent.site_id and k.event_id = sent.event_id
       join events e on e.site_id = k.site_id and e.visitor_id = k.visitor_id and e.occurred_at = k.occurred_at and e.event_id = k.event_id
   ) form on true`;

/** SQL, with a form and the first visitor v of its lead. */
export const senderIs = (v: string): string => `coalesce(form.taken_for, ${visitorIs(v)})`;

/** SQL: leads l, the first visitor v of each, and how its first form was taken; see senderIs('v'). */
export const SENT = `leads l left join visitors v on v.site_id = l.site_id and v.visitor_id = l.first_visitor_id
     ${formOf('s.site_id = l.site_id and s.lead_id = l.lead_id')}`;

/** SQL: conversions c, and who did them: their visitor v, or, where none is known, their lead l as its form was sent. */
export const CONVERTED = `conversions c
     left join visitors v on v.site_id = c.site_id and v.visitor_id = c.visitor_id
     left join leads l on l.site_id = c.site_id and l.lead_id = c.lead_id
     left join visitors first on first.site_id = l.site_id and first.visitor_id = l.first_visitor_id and v.visitor_id is null
     ${formOf('s.site_id = l.site_id and s.lead_id = l.lead_id and v.visitor_id is null')}`;
/**
 * SQL, of those: who ordered in the shop's own browser was seen at home before, so what its last event of that day was taken
 * for stands before what the browser is else.
 */
export const converterIs = `case when v.visitor_id is null then ${senderIs('first')} when v.bot_verdict is not null then v.bot_verdict
    else coalesce((select coalesce(seen.bot_reason, 'human') from events seen where seen.site_id = v.site_id and seen.visitor_id = v.visitor_id
      and seen.occurred_at between c.occurred_at - interval '1 day' and c.occurred_at order by seen.occurred_at desc limit 1), ${visitorIs('v')}) end`;

/** SQL, of one of those words: how many rows of robots, and of the site's own people. */
export const leftOut = (taken: string): string =>
  `count(*) filter (where ${taken} = 'staff') as staff, count(*) filter (where ${taken} not in ('human', 'staff')) as bots`;
