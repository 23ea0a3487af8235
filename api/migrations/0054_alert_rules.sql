-- Warnings by mail when a site's numbers are not what the same hour of other weeks lets expect.

create table alert_rules (
  site_id uuid not null references sites,
  rule_id uuid not null default uuidv7(),
  kind text not null check (kind in ('spike', 'drop', 'silence', 'lead_drought', 'goal_zero')),
  sensitivity text not null check (sensitivity in ('low', 'normal', 'high')),
  goal text check (length(goal) between 1 and 64),
  made_by text not null,
  created_at timestamptz(3) not null default now(),
  told_at timestamptz(3),
  primary key (site_id, rule_id),
  check ((kind = 'goal_zero') = (goal is not null))
);
comment on table alert_rules is 'what of a site''s numbers is worth a warning';
comment on column alert_rules.goal is 'the name of an event that is expected every day';
call isolate_sites('alert_rules');

create table alert_rule_recipients (
  site_id uuid not null,
  rule_id uuid not null,
  recipient_id uuid not null,
  primary key (site_id, rule_id, recipient_id),
  foreign key (site_id, rule_id) references alert_rules on delete cascade,
  foreign key (site_id, recipient_id) references mail_recipients on delete cascade
);
comment on table alert_rule_recipients is 'who is warned by which rule, once they said yes';
create index alert_rule_recipients_of_recipient on alert_rule_recipients (site_id, recipient_id);
call isolate_sites('alert_rule_recipients');
