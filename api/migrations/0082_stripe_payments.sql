-- A refund at Stripe names a payment; the invoice that was paid by it, which is the purchase here, names no payment any more
-- (API 2025-03-31). One event names both.
create table stripe_payments (
  site_id uuid not null references sites on delete cascade,
  payment text not null check (length(payment) between 1 and 255),
  invoice text not null check (length(invoice) between 1 and 255),
  heard_at timestamptz(3) not null default now(),
  primary key (site_id, payment)
);
comment on table stripe_payments is 'which invoice a payment at Stripe paid: both are ids of theirs';
call isolate_sites('stripe_payments');
