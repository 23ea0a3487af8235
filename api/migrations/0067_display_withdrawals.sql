-- Whoever takes back that they may be named, or a review of theirs be published, is bound to it also where nothing stands yet:
-- what they sent before may still wait in quarantine, in a journal, or in a file that is carried in later.

alter table leads add column display_withdrawn_at timestamptz(3);
comment on column leads.display_withdrawn_at is 'when they last took back that anything of them may be shown; a permission of before lifts it no more';

-- the same of an address that is nobody's yet
alter table withdrawal_requests drop constraint withdrawal_requests_purpose_check;
alter table withdrawal_requests add constraint withdrawal_requests_purpose_check check (purpose in ('all', 'email', 'display'));
