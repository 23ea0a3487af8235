-- A conversion told by email before that person is a lead: known by a keyed hash, so that an erasure finds it and a later
-- capture or import of the address takes it along.
alter table conversions add column email_hash bytea;
comment on column conversions.email_hash is 'HMAC-SHA256(site and normalized address, pepper) while the address is nobody''s lead; then the lead''s id stands instead';
create index conversions_by_address on conversions (site_id, email_hash) where email_hash is not null;
