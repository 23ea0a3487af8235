-- Confirmation mails are bounded for a client and a day: by whom each was asked for, as a keyed hash.
alter table outgoing_mails add column asked_by bytea;
create index outgoing_mails_sent on outgoing_mails (site_id, sent_at) where sent_at is not null;
