-- Who owns the database: no superuser, so that whoever runs code in the API, or chooses what a restore runs, has this database
-- and not the server. It may make databases (trial restores, copies of an upgrade), the app's role, see past row level
-- security (migrations, dumps), and end connections (a restore). The superuser of the cluster is used by nobody: it has no
-- password, and nobody comes in without one.
\getenv password POSTGRES_PASSWORD
set log_min_duration_statement = -1;
set log_statement = 'none';
create role marketing_owner login nosuperuser createdb createrole bypassrls noreplication password :'password';
grant pg_signal_backend to marketing_owner;
alter database marketing owner to marketing_owner;
alter role current_user password null;
