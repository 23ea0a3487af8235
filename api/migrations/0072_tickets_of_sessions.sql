-- A ticket for a stream ends with the session that made it.
alter table stream_tickets add column session_id uuid references user_sessions on delete cascade;
create index stream_tickets_of_session on stream_tickets (session_id);
