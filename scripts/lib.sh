# shellcheck shell=bash
# What the operator's scripts share: where the appliance is, how to reach it (here or over ssh), how to speak.
# Sourced, never run.

# a script that is replaced while it works runs as a copy elsewhere, and is told where the appliance is
root=${MARKETING_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
verb=${0##*/}
# where cloud-init and scripts/ship put the appliance on a server
remote_folder=${MARKETING_FOLDER:-/opt/marketing}
host=''

say() { printf '%s: %s\n' "$verb" "$*" >&2; }
die() { printf '%s: error: %s\n' "$verb" "$*" >&2; exit 1; }
# The comment at the top of a script is its help.
usage() { sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//;p;}' "$root/scripts/$verb"; }
usage_error() { printf '%s: error: %s (see --help)\n' "$verb" "$*" >&2; exit 2; }

needs() {
  local tool
  for tool; do command -v "$tool" >/dev/null || die "$tool is needed here; please install it"; done
}

# The Compose project of this stack: several can live on one machine.
project() {
  local name=${COMPOSE_PROJECT_NAME:-}
  [[ -n $name ]] || name=$(sed -n 's/^COMPOSE_PROJECT_NAME=//p' "$root/.env" 2>/dev/null | tail -n 1)
  printf '%s\n' "${name:-marketing}"
}

compose() {
  (cd "$root" && docker compose --progress quiet "$@")
}

# The API's command line, in the running container.
api() {
  compose exec -T api marketing "$@"
}

# state SERVICE: running, healthy, … or nothing when there is no container
state() {
  local id
  id=$(compose ps --all --quiet "$1" 2>/dev/null | head -n 1)
  [[ -z $id ]] || docker inspect --format '{{if index .State "Health"}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}' "$id"
}

# there SCRIPT [argument…]: runs one of these scripts on the server; standard input and output pass through, and so do the
# settings that a caller gives by the environment
there() {
  local command name status=0
  printf -v command '%q ' "$remote_folder/scripts/$1" "${@:2}"
  for name in UPGRADE_TIMEOUT RESTORE_TIMEOUT; do
    if [[ -n ${!name-} ]]; then printf -v command 'env %s=%q %s' "$name" "${!name}" "$command"; fi
  done
  # -n of sudo: ask for no password, fail at once instead
  # shellcheck disable=SC2029
  ssh ${SSH_OPTIONS:+$SSH_OPTIONS} -o ConnectTimeout=15 "$host" "if [ \"\$(id -u)\" = 0 ]; then $command; else sudo -n $command; fi" || status=$?
  return "$status"
}

is_host() { [[ $1 == *@* || $1 == ssh://* ]]; }

# What may be forgotten at the next boot: how often the watchdog restarted what.
memory=${MARKETING_STATE:-/run/marketing/$(project)}
# What must survive it: the change that is under way, its log, the files from before (scripts/change.sh).
change=$root/.change

# Only one of upgrade, restore, watchdog at a time on this stack; kept until the script ends.
take_lock() {
  mkdir -p "$memory" 2>/dev/null || { memory=${TMPDIR:-/tmp}/marketing-$UID; mkdir -p "$memory"; }
  mkdir -p "$change"
  exec 9>>"$change/lock"
  flock -w "${1:-2}" 9
}

# setting NAME VALUE: puts one line into .env, keeping the others
setting() {
  local file=$root/.env
  touch "$file"
  { grep -v "^$1=" "$file" || :; printf '%s=%s\n' "$1" "$2"; } >"$file.new"
  chmod 0644 "$file.new"
  mv "$file.new" "$file"
}
