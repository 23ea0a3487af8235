-- Withdraws, by the key of a link or by address, in one round trip; a lead that is not known costs the same write.
--
-- request  site_id, request_id, at (arrival), basis, and either key or email_normalized and email_hash; purposes? (default: all),
--          reason?, ip_hash?, ua_hash?, privacy_signal?
-- returns  {outcome: withdrawn | erased | unknown, leadId, again: it had withdrawn already, and nothing was recorded}
create or replace function withdraw_consent(request json)
returns json language plpgsql set enable_seqscan = off set jit = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  site constant uuid := request ->> 'site_id';
  known uuid;
  seq bigint;
begin
  perform set_config('marketing.sites', site::text, true);
  if request ->> 'key' is not null then
    select lead_id, consent_seq into known, seq from leads where site_id = site and unsubscribe_key = request ->> 'key';
    if known is null then
      return json_build_object('leadId', null, 'again', false, 'outcome', case when exists (
        select from erasures where site_id = site and unsubscribe_hash = sha256(convert_to(request ->> 'key', 'UTF8'))) then 'erased' else 'unknown' end);
    end if;
  else
    -- against a capture of the same address that is under way
    perform pg_advisory_xact_lock(hashtextextended(site::text || ' ' || (request ->> 'email_normalized'), 7));
    -- of another purpose than email: whoever that address becomes begins without any
    insert into withdrawal_requests as known (site_id, request_id, email_hash, purpose, requested_at)
    values (site, (request ->> 'request_id')::uuid, (request ->> 'email_hash')::bytea,
      case when (request -> 'purposes')::jsonb = '["email"]' then 'email' else 'all' end, (request ->> 'at')::timestamptz(3))
    on conflict (site_id, email_hash, purpose) do update set requested_at = greatest(known.requested_at, excluded.requested_at);
    select lead_id, consent_seq into known, seq from leads where site_id = site and email_normalized = request ->> 'email_normalized';
  end if;
  if known is not null then
    perform record_consent(site, known, json_build_object('status', 'withdrawn', 'basis', request ->> 'basis', 'occurred_at', request ->> 'at',
      'purposes', request -> 'purposes', 'evidence', request ->> 'reason', 'ip_hash', request ->> 'ip_hash', 'ua_hash', request ->> 'ua_hash',
      'privacy_signal', request ->> 'privacy_signal'));
    -- Also where nothing new was written down, since they agreed anew while this waited: the browsers of before end with it.
    if request -> 'purposes' is null or (request -> 'purposes')::jsonb ?| array['email', 'profile'] then
      update lead_identities set ended_at = (request ->> 'at')::timestamptz(3)
      where site_id = site and lead_id = known and unlinked_at is null and ended_at is null and linked_at <= (request ->> 'at')::timestamptz(3);
    end if;
  end if;
  return json_build_object('leadId', known,
    'again', exists (select from leads where site_id = site and lead_id = known and consent_seq = seq), 'outcome', case when known is null then 'unknown' else 'withdrawn' end);
end $$;
comment on function withdraw_consent is 'withdraws consent; see src/product/consent/withdraw_consent.sql';
