-- The rows behind a day's visits are read newest first, a page at a time; by visitor alone that was every session of the site.
create index sessions_by_start on sessions (site_id, started_at desc, session_id desc) where not is_bot;
