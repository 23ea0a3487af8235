-- A form that agreed to nothing says so: it was called as a request that waits for its second step. Records of before keep their
-- word, which their hashes hold.
alter table consent_records drop constraint consent_records_action_check, add constraint consent_records_action_check check (
  action in ('requested', 'not_given', 'granted', 'regranted', 'renewed', 'reaffirmed', 'confirmed', 'withdrawn', 'expired', 'imported'));
