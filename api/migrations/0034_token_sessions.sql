-- Programs that sign in as a person: a session whose token is a refresh token, each good once.

alter table user_sessions add column kind text not null default 'browser' check (kind in ('browser', 'token'));
comment on column user_sessions.kind is 'browser: the token is its cookie''s; token: a program''s, and the token is the refresh token that comes next';

create table used_refresh_tokens (
  token_hash bytea primary key,
  session_id uuid not null references user_sessions on delete cascade,
  used_at timestamptz(3) not null default now()
);
comment on table used_refresh_tokens is 'refresh tokens that were used: who brings one again ends the session, because one of two has stolen it';
create index used_refresh_tokens_of_session on used_refresh_tokens (session_id);
call isolate_accounts('used_refresh_tokens');
