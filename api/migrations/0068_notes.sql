-- Notes on days of the numbers: of a site's people and programs, of one person alone, and what the machine did by itself.

create table notes (
  site_id uuid not null references sites on delete cascade,
  note_id uuid not null default uuidv7(),
  at timestamptz(3) not null,
  kind text not null check (kind in ('note', 'deploy', 'campaign', 'incident', 'recount', 'import')),
  text text not null check (length(text) between 1 and 400),
  user_id uuid references users on delete cascade,
  import_id uuid,
  made_by text not null,
  version integer not null default 1,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  primary key (site_id, note_id),
  foreign key (site_id, import_id) references imports on delete cascade,
  check ((kind = 'import') = (import_id is not null)),
  check (kind in ('note', 'deploy', 'campaign', 'incident') or user_id is null)
);
comment on column notes.text is 'written with 200 characters at most; an address that is taken out leaves a longer word behind';
comment on column notes.user_id is 'whose alone it is; null: everybody''s who sees the site''s numbers';
comment on column notes.import_id is 'undone, it takes its note along';
create index notes_by_moment on notes (site_id, at, note_id);
create index notes_of_user on notes (user_id) where user_id is not null;
create unique index notes_of_import on notes (site_id, import_id) where import_id is not null;
create unique index notes_of_recount on notes (site_id, at, text) where kind = 'recount';
call isolate_sites('notes');

create table machine_notes (
  note_id uuid primary key default uuidv7(),
  at timestamptz(3) not null,
  kind text not null check (kind in ('installed', 'upgrade', 'outage', 'restore')),
  text text not null check (length(text) between 1 and 200),
  release text,
  unique (kind, at)
);
comment on table machine_notes is 'what happened to the whole machine, so on the charts of every site';
comment on column machine_notes.release is 'the one that runs since; of installed and upgrade';
