-- An erasure looks for the address in whatever anyone sent. Only rows that hold an @ are in these indexes, so they stay
-- small, and a batch of events pays for them by a look at its texts (measured in the noise of an insert).
create index events_holding_addresses on events (site_id)
  where (props::text like '%@%' or path like '%@%' or path like '%\%40%' or referrer like '%@%' or referrer like '%\%40%' or utm::text like '%@%');
create index sessions_holding_addresses on sessions (site_id)
  where (landing_path like '%@%' or landing_path like '%\%40%' or referrer like '%@%' or referrer like '%\%40%' or utm::text like '%@%');
