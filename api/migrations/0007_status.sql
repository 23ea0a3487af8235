-- The status page tells which schema is running; the app's role may look, not write.

grant select on schema_migrations to marketing_app;
