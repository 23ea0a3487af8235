-- A lead's consent is written right after the lead: without consent_status in an index's condition that update stays on
-- its page (HOT) instead of adding an entry to every index of the table.
drop index leads_expiring;
create index leads_expiring on leads (consent_expires_at) where consent_expires_at is not null;
alter table leads set (fillfactor = 85);
