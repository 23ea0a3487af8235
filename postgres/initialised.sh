#!/usr/bin/env bash
# Runs last while a new cluster is made; from now on an empty data folder is a fault (see start).
set -euo pipefail
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" --file=/etc/marketing/owner.sql
sync
touch /var/lib/marketing-state/initialised
rm -f /var/lib/marketing-state/initialising
