-- Who pays for a site's plan at Stripe: its signed events say which plan that is. They come in any order, so what each says of a
-- subscription is kept until it makes a whole: whose it is, what is paid, and whether it runs.
create table billed_subscriptions (
  site_id uuid not null references sites on delete cascade,
  reference text not null check (length(reference) between 1 and 255),
  is_ours boolean not null default false,
  plan_id text,
  is_live boolean,
  told_at timestamptz(3),
  heard_at timestamptz(3) not null default now(),
  settled_at timestamptz(3),
  primary key (site_id, reference)
);
comment on table billed_subscriptions is 'subscriptions at Stripe as its events tell of them; one of another site that the same account bills is forgotten after days';
comment on column billed_subscriptions.is_ours is 'an event named this site for it';
comment on column billed_subscriptions.plan_id is 'what its price means here, or its end';
comment on column billed_subscriptions.told_at is 'when the newest of its events was made: an older one changes nothing';
comment on column billed_subscriptions.settled_at is 'when the site was given that plan; null: not yet';
call isolate_sites('billed_subscriptions');
