-- A receipt keeps what was signed as it was said: every wording, and the window that was counted, instead of making them again
-- from a version, whose test or site may have changed since. An act's receipt knows its order, and ends with it.
-- of builds between releases: without their words nobody can show what they signed
truncate receipts, receipt_acts;

create table receipt_words (
  site_id uuid not null,
  notification_id uuid not null,
  version integer not null,
  words_id bytea not null check (octet_length(words_id) = 16),
  words jsonb not null,
  primary key (site_id, notification_id, version, words_id),
  foreign key (site_id, notification_id, version) references notification_versions on delete cascade
);
comment on table receipt_words is 'what receipts of a version have in common: the wordings that were shown, the claim, its rule; once for all of them';
comment on column receipt_words.words_id is 'the first 16 bytes of SHA-256 of the words';
call isolate_sites('receipt_words');
revoke update, truncate on receipt_words from marketing_app;

alter table receipts
  add column words_id bytea not null,
  add column said text not null,
  add column window_from timestamptz(3),
  add column window_to timestamptz(3),
  add foreign key (site_id, notification_id, version, words_id) references receipt_words on delete cascade;
comment on table receipts is 'one claim as it was shown, signed; what it has in common with others is in receipt_words';
comment on column receipts.said is 'the text of the first wording, with its number';
comment on column receipts.window_from is 'of what was counted; null: the owner''s words, or one act';
comment on column receipts.excluded is 'rows that were left out: bots, staff, voided; null: not counted';

alter table receipt_acts add column conversion_id text;
comment on column receipt_acts.conversion_id is 'the conversion that was shown; null: another act';

-- who is to be left alone is in no number and no card; whichever process serves a feed is told with the commit
create trigger feed_changed_by_restriction after update of restricted on leads for each row
  when (old.restricted is distinct from new.restricted) execute function tell_feed();

-- the newest of a notification, which each building of a feed asks for
create index receipts_newest on receipts (site_id, notification_id, as_of desc);
