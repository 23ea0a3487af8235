-- How many events of a visitor came on the day it was last heard, so that one browser's flood is known for one while it lasts.

alter table visitors add column events_on date, add column events_that_day integer;
comment on column visitors.events_on is 'UTC day of the latest arrival; null: none since this is counted';
comment on column visitors.events_that_day is 'events that arrived on it; beyond flood_after() they are bot events with reason flood';
