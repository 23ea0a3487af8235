# shellcheck shell=bash
# What the operator's scripts share: where the appliance is, how to reach it (here or over ssh), how to speak.
# Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
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

# there SCRIPT [argument…]: runs one of these scripts on the server; standard input and output pass through
there() {
  local command
  printf -v command '%q ' "$remote_folder/scripts/$1" "${@:2}"
  # -n of sudo: ask for no password, fail at once instead
  # shellcheck disable=SC2029
  ssh ${SSH_OPTIONS:+$SSH_OPTIONS} -o ConnectTimeout=15 "$host" "if [ \"\$(id -u)\" = 0 ]; then $command; else sudo -n $command; fi"
}

# ready SECONDS: waits until every service is healthy
ready() {
  local end=$((SECONDS + $1)) service bad
  while :; do
    bad=''
    for service in postgres api caddy; do
      [[ $(state "$service") == healthy ]] || bad+=" $service"
    done
    [[ -n $bad ]] || return 0
    ((SECONDS < end)) || { say "not healthy after $1 s:$bad"; return 1; }
    sleep 2
  done
}

is_host() { [[ $1 == *@* || $1 == ssh://* ]]; }

memory=${MARKETING_STATE:-/run/marketing}

# Only one of upgrade, restore, watchdog at a time; kept until the script ends.
take_lock() {
  mkdir -p "$memory" 2>/dev/null || { memory=${TMPDIR:-/tmp}/marketing-$UID; mkdir -p "$memory"; }
  exec 9>"$memory/lock"
  flock -n 9
}

# up_or_failed SECONDS: starts everything and waits; gives up early when the API keeps dying
up_or_failed() {
  local end=$((SECONDS + $1)) id deaths
  compose up -d --no-build >/dev/null 2>"$memory/up.log" & 
  local starting=$!
  while ((SECONDS < end)); do
    sleep 2
    if ! kill -0 "$starting" 2>/dev/null; then
      [[ $(state api) == healthy && $(state caddy) == healthy && $(state postgres) == healthy ]] && return 0
    fi
    id=$(compose ps --all --quiet api 2>/dev/null | head -n 1)
    deaths=$([[ -z $id ]] || docker inspect --format '{{.RestartCount}}' "$id" 2>/dev/null || echo 0)
    if ((${deaths:-0} >= 3)); then
      say "the API ended ${deaths} times; its last words:"
      docker logs --tail 5 "$id" >&2 2>&1 || :
      break
    fi
  done
  kill "$starting" 2>/dev/null || :
  wait "$starting" 2>/dev/null || :
  return 1
}

# Of .env: the file keeps its mode and its owner, and is at every moment the old one or the new.
rewrite_env() {
  local file=$root/.env
  [[ -e $file ]] || (umask 022 && : >"$file")
  cp -p "$file" "$file.new"
  "$@" <"$file" >"$file.new"
  mv "$file.new" "$file"
}

# setting NAME VALUE: puts one line into .env, in the place of the one that is there; VALUE as it stands in the file (quoted)
setting() {
  rewrite_env env_line "$1" "$1=$2"
}

# setting_away NAME: takes its line out of .env
setting_away() {
  rewrite_env env_line "$1" ''
}

# env_line NAME LINE: a .env on standard input with that line instead of the name's, or none
env_line() {
  local line written=no
  while IFS= read -r line || [[ -n $line ]]; do
    case $line in
      "$1="* | "export $1="*)
        if [[ $written == no && -n $2 ]]; then printf '%s\n' "$2"; fi
        written=yes ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
  if [[ $written == no && -n $2 ]]; then printf '%s\n' "$2"; fi
}

# quoted VALUE: as it must stand in .env, so that Compose reads back the very same
quoted() {
  local escaped quote=\' LC_ALL=C
  case $1 in
    *$'\n'*)
      # only between double quotes is \n a line's end, and there $ and \ have meanings of their own
      [[ $1 != *[\\\$]* ]] || die "a value of several lines cannot hold a dollar sign or a backslash"
      escaped=${1//\"/\\\"}
      printf '"%s"' "${escaped//$'\n'/\\n}" ;;
    *[!A-Za-z0-9_./:@,+=%-]*) 
      escaped=${1//$quote/\\$quote}
      printf "'%s'" "$escaped" ;;
    *) printf '%s' "$1" ;;
  esac
}

# ask VERB…: the API's command line in the running container; where it is down, in one of its own
ask() {
  if [[ $(state api) == healthy ]]; then api "$@"; else compose run --rm --no-deps -T api "$@"; fi
}
