-- Every process that keeps answers hears when numbers have changed: told at the commit of what changed them, once a
-- transaction, whoever it was. Events and captures tell nothing: numbers know of them through the next rollup.

create function tell_metrics_changed() returns trigger language plpgsql as $$
begin
  -- the sites of this transaction; empty: someone at the console, so all of them
  perform pg_notify('metrics_changed', coalesce(current_setting('marketing.sites', true), ''));
  return null;
end $$;
comment on function tell_metrics_changed is 'heard by src/product/metrics/listen.ts';

create trigger metrics_changed after insert or update on rollup_state for each statement execute function tell_metrics_changed();
create trigger metrics_changed after insert or update or delete on ad_spend for each statement execute function tell_metrics_changed();
create trigger metrics_changed after insert or update or delete on conversions for each statement execute function tell_metrics_changed();
create trigger metrics_changed after insert on erasures for each statement execute function tell_metrics_changed();
