# shellcheck shell=bash
# What the operator's scripts share: where the appliance is, how to reach it (here or over ssh), how to speak.
# Sourced, never run.

# a script that is replaced while it works runs as a copy elsewhere, and is told where the appliance is
root=${MARKETING_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
verb=${0##*/}
# where cloud-init and scripts/ship put the appliance on a server
remote_folder=${MARKETING_FOLDER:-/opt/marketing}
host=''

# a reader who is gone is no reason to stop half-way
say() { printf '%s: %s\n' "$verb" "$*" >&2 || :; }
die() { say "error: $*"; exit 1; }
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

# A value that goes over a line: base64, then a line that says "whole". A line that breaks ends just as a value does, so
# whoever reads keeps nothing without that word. What seals is where the value comes from, never the middle of a pipe.
seal() { base64 | tr -d '\n' && printf '\nwhole\n'; }
# unseal: what was sealed. returns 1, and prints nothing, when it did not arrive whole
unseal() {
  local text mark
  IFS= read -r text && IFS= read -r mark && [[ $mark == whole ]] && base64 -d <<<"$text"
}

is_host() { [[ $1 == *@* || $1 == ssh://* ]]; }

# What may be forgotten at the next boot: how often the watchdog restarted what.
memory=${MARKETING_STATE:-/run/marketing/$(project)}
# What must survive it: the change that is under way, its log, the files from before (scripts/change.sh).
change=$root/.change

# Two stacks of one name on one machine would be one to Compose: it would make the other one's containers over from these files.
alone_of_this_name() {
  local folder
  folder=$(docker ps --all --filter "label=com.docker.compose.project=$(project)" --filter label=com.docker.compose.oneoff=False \
    --format '{{.Label "com.docker.compose.project.working_dir"}}' | head -n 1)
  [[ -z $folder || ! -d $folder || $folder -ef $root ]] ||
    die "the stack named $(project) on this machine lives in $folder; give this one a name of its own (COMPOSE_PROJECT_NAME in .env), and ports"
}

# Only one of upgrade, restore, watchdog at a time on this stack; kept until the script ends.
take_lock() {
  mkdir -p "$memory" 2>/dev/null || { memory=${TMPDIR:-/tmp}/marketing-$UID-$(project); mkdir -p "$memory"; }
  mkdir -p "$change"
  exec 9>>"$change/lock"
  flock -w "${1:-2}" 9 || return 1
  alone_of_this_name
}

# on_disk PATH…: returns when these files and folders are, whatever becomes of the power
on_disk() { sync "$@" 2>/dev/null || sync; }

# Of .env: the file keeps its mode and its owner, and is at every moment the old one or the new.
rewrite_env() {
  local file=$root/.env
  [[ -e $file ]] || (umask 022 && : >"$file")
  cp -p "$file" "$file.new"
  "$@" <"$file" >"$file.new"
  on_disk "$file.new"
  mv "$file.new" "$file"
  on_disk "$root"
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
