-- An erasure looks at texts that hold an address, and no longer at all that hold an @: /@author is a page of many sites, and
-- a million of them cost 3.4 s an erasure. What is looked at is walked in the order of the index's second column, piece by
-- piece, so that no single statement takes long whatever strangers wrote.

create function may_hold_address(words text) returns boolean language sql immutable parallel safe
-- The look for an @ comes first: it is all that nearly every text costs. After it stand letters of a host's name up to its
-- first dot, which may be a sign of another script, or written with a %; before it something that is no beginning.
return (words like '%@%' or words like '%\%40%') and words ~ '[^" ](@|%40)[a-zA-Z0-9-]*([.%]|[^\u0001-\u007f])';
comment on function may_hold_address is 'whether a text may hold an e-mail address, plain or percent-encoded; indexes depend on it, so a new meaning is a new function';

drop index events_holding_addresses;
create index events_holding_addresses on events (site_id, received_at)
  where may_hold_address(path) or may_hold_address(referrer) or may_hold_address(utm::text) or may_hold_address(props::text);
drop index sessions_holding_addresses;
create index sessions_holding_addresses on sessions (site_id, session_id)
  where may_hold_address(landing_path) or may_hold_address(referrer) or may_hold_address(utm::text);
drop index visit_facts_holding_addresses;
create index visit_facts_holding_addresses on visit_facts (site_id, visitor_id) where has_at;
drop index daily_breakdowns_holding_addresses;
create index daily_breakdowns_holding_addresses on daily_breakdowns (site_id)
  where may_hold_address(name) or may_hold_address(detail) or length(name) = 512 or length(detail) = 512;
-- was without one: every name of the days that still change was read
create index open_names_holding_addresses on open_names (site_id)
  where may_hold_address(name) or may_hold_address(detail) or length(name) = 512 or length(detail) = 512;
