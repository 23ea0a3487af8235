-- What people wrote about a site or what it sells, and their permission to publish exactly those words: records of the ledger of
-- who may be named, each about one review.

create table reviews (
  site_id uuid not null references sites,
  review_id uuid not null default uuidv7(),
  version integer not null default 1,
  lead_id uuid,
  submission_id uuid,
  status text not null default 'waiting' check (status in ('waiting', 'published', 'declined')),
  reason text check (reason in ('spam', 'fake', 'duplicate', 'off_topic', 'abusive', 'unlawful', 'personal_data', 'asked_by_author')),
  note text check (length(note) <= 500),
  rating smallint check (rating between 1 and 5),
  words text check (length(words) <= 4000),
  language text check (length(language) <= 35),
  product text check (length(product) <= 200),
  incentive text check (length(incentive) <= 200),
  relationship text check (length(relationship) <= 200),
  source text not null check (length(source) between 1 and 64),
  source_url text check (length(source_url) <= 2048),
  source_key bytea,
  written_at timestamptz(3) not null,
  received_at timestamptz(3) not null default now(),
  decided_at timestamptz(3),
  decided_by text,
  primary key (site_id, review_id),
  unique (site_id, source, source_key),
  check ((status = 'declined') = (reason is not null)),
  check (words is not null or rating is not null)
);
comment on table reviews is 'what somebody wrote, as it was written; words never change';
comment on column reviews.lead_id is 'who wrote it; null: imported without an address, so nobody can allow it to be published';
comment on column reviews.reason is 'why it was declined: no word of these means a low rating';
comment on column reviews.source is 'form, or where it was imported from';
comment on column reviews.source_key is 'by what the same row of an import is known again';
create index reviews_written on reviews (site_id, written_at);
create index reviews_of on reviews (site_id, lead_id) where lead_id is not null;
call isolate_sites('reviews');
create trigger feed_changed_by_review after update on reviews for each row execute function tell_feed();

-- A permission for exactly these words is a record about that review; a withdrawal is about everything.
alter table display_consents add column review_id uuid;
alter table display_consents drop constraint display_consents_basis_check;
alter table display_consents add check (basis in ('form', 'order', 'link', 'request', 'restore', 'admin', 'import'));
comment on column display_consents.review_id is 'the review it allows to be published; null: to be named, or a withdrawal of everything';
alter table display_details add column review_hash bytea;
alter table display_details add column evidence text check (length(evidence) <= 2000);
comment on column display_details.review_hash is 'SHA-256 of the words that may be published';
comment on column display_details.evidence is 'where the proof of a permission is that did not come by a form';

alter table receipt_acts add column review_id uuid;
comment on column receipt_acts.review_id is 'the review that was shown; null: another act';
