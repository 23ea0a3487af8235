-- Other processes end their kept answers when an import is finished or undone, as they do after a rollup.

create trigger metrics_changed after update or delete on imports for each statement execute function tell_metrics_changed();
