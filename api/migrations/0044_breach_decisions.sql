-- Which authorities must be told of a breach, and whether the people: null while nobody has decided. One notice of several
-- is not all of them.
alter table breaches add column authorities text[];
alter table breaches add column tell_people boolean;
alter table breaches add column tell_people_why text;
