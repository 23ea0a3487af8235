#!/usr/bin/env bash
# Runs last while a new cluster is made; from now on an empty data folder is a fault (see start).
set -euo pipefail
sync
touch /var/lib/marketing-state/initialised
rm -f /var/lib/marketing-state/initialising
