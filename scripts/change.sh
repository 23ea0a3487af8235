# shellcheck shell=bash
# Changes of the appliance (upgrade, restore, set, rotate): done apart from the line they were asked over, with every step noted, so
# that whoever comes next (a person, the watchdog, the machine's next start) can bring a defined state about.
# Sourced, never run.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# --- what is under way: $change/state, lines of NAME=VALUE

# note NAME VALUE: on the disk before this returns, whole or not at all
note() {
  local file=$change/state
  { grep -v "^$1=" "$file" 2>/dev/null || :; printf '%s=%s\n' "$1" "$2"; } >"$file.new"
  sync "$file.new" 2>/dev/null || sync
  mv "$file.new" "$file"
}
noted() { sed -n "s/^$1=//p" "$change/state" 2>/dev/null | tail -n 1; }
under_way() { [[ -s $change/state ]]; }

# begin VERB FROM TO
begin() {
  rm -rf "$change/before" "$change/state" "$change/back-wanted"
  note verb "$1"
  note since "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  note from "$2"
  note to "$3"
  note step preparing
}
step() { note step "$1"; }
tell_under_way() {
  local step
  step=$(noted step)
  printf '%s under way since %s, from %s to %s, step "%s"%s\n' "$(noted verb)" "$(noted since)" "$(noted from)" "$(noted to)" \
    "$step" "$(database=$(noted database); [[ -z $database ]] || printf ', the database from before is kept as %s' "$database")"
}
# (.before-upgrade: what releases before this one left behind)
ended() { rm -rf "$root/.before-upgrade" "$change/state" "$change/before" "$change/back-wanted" "$change/rehearsal"; }

# --- working apart from the line

# Whether somebody works: the lock is held from the first step to the last.
working() { [[ -e $change/lock ]] && ! (exec 9>>"$change/lock" && flock -n 9); }

# detach COMMAND…: runs it as the system's own, or at least in a session of its own; the lock goes over to it
detach() {
  local runner=() name
  rm -f "$change/result"
  : >"$change/log"
  chmod 0600 "$change/log"
  if [[ -d /run/systemd/system && $(id -u) == 0 ]] && command -v systemd-run >/dev/null; then
    runner=(systemd-run --quiet --collect "--unit=$(project)-$verb-$$")
    for name in $(compgen -e); do [[ ${!name} == *$'\n'* ]] || runner+=("--setenv=$name=${!name}"); done
  else
    runner=(setsid nohup)
  fi
  ${runner[@]+"${runner[@]}"} "$@" </dev/null >>"$change/log" 2>&1 9>&- &
  exec 9>&-
}

# result STATUS: how the work ended, for those who follow
result() {
  echo "$1" >"$change/result.new"
  mv "$change/result.new" "$change/result"
}

# apart: the first thing that the detached half does
apart() {
  trap '' PIPE HUP
  exec >>"$change/log" 2>&1 </dev/null
  trap 'result $?' EXIT
  take_lock 60 || die "another upgrade, a restore or the watchdog is at work; try again in a minute"
  echo $$ >"$change/pid"
}

# follow: shows the log as it grows, to its end. returns the exit status of the work
follow() {
  local part='' line ended alone=0
  [[ -e $change/log ]] || { say "nothing was done here yet"; return 1; }
  exec 8<"$change/log"
  while :; do
    # looked for before reading, so that what was said until then is read
    ended=no
    [[ ! -e $change/result ]] || ended=yes
    while IFS= read -r line <&8 || { part+=$line; false; }; do
      case $part$line in
        "$verb: "*) printf '%s\n' "$part$line" >&2 ;;
        *) printf '%s\n' "$part$line" ;;
      esac
      part=''
    done
    [[ $ended == no ]] || return "$(<"$change/result")"
    if working; then alone=0; else ((++alone < 30)) || break; fi
    sleep 0.5
  done
  say "error: the work was cut off; scripts/upgrade --back, or the watchdog within minutes, brings the release and the data from before back"
  return 1
}

# lost STATUS: what to say when ssh came back with it
lost() {
  [[ $1 == 255 ]] || return 0
  say "the line is lost; if the work had begun, it goes on there: scripts/upgrade $host --follow shows it"
}

# --- starting, and saying why something does not start

# look [SERVICE…]: a line "SERVICE STATE HEALTH RESTARTS ID" for each container of this stack
look() {
  local ids
  ids=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$(project)" --filter label=com.docker.compose.oneoff=False)
  [[ -n $ids ]] || return 0
  # shellcheck disable=SC2086
  docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{if index .State "Health"}}{{.State.Health.Status}}{{else}}-{{end}} {{.RestartCount}} {{.Id}}' $ids 2>/dev/null || :
}

# why SERVICE ID: its last words. Of the API's lines the ones that complain, and those that are no log: why it did not start
why() {
  local words complaints
  words=$(docker logs --tail 60 "$2" 2>&1 || :)
  if [[ $1 == api ]] && complaints=$(grep '"level":\(50\|60\|"error"\|"fatal"\)\|^[^{]' <<<"$words"); then words=$complaints; fi
  say "the last words of $1:"
  tail -n 8 <<<"$words" | quote
}
quote() { cut -c 1-1500 | sed "s/^/$verb:   /" >&2; }

# up_or_failed SECONDS SERVICE…: starts them and waits until they are healthy; says why they are not as soon as it is known
up_or_failed() {
  local end=$((SECONDS + $1)) starting service state health restarts id found well first was
  shift
  # restarts from before are not this start's
  first=$(look)
  (cd "$root" && exec docker compose --progress quiet up -d --no-build "$@") </dev/null >"$change/up.log" 2>&1 9>&- &
  starting=$!
  while ((SECONDS < end)); do
    if [[ -e $change/back-wanted ]]; then say "asked to go back"; break; fi
    if [[ -n $starting ]] && ! kill -0 "$starting" 2>/dev/null; then
      if ! wait "$starting"; then
        say "docker compose up failed:"
        tail -n 8 "$change/up.log" | quote
        while read -r service state health restarts id; do
          [[ $service == init && $state == exited || $health == healthy ]] || why "$service" "$id"
        done < <(look)
        return 1
      fi
      starting=''
    fi
    well=0
    found=$(look)
    while read -r service state health restarts id; do
      [[ " $* " == *" $service "* ]] || continue
      was=$(awk -v id="$id" '$5 == id {print $4}' <<<"$first")
      if ((restarts - ${was:-0} >= 2)) && [[ $health != healthy ]]; then
        say "$service ended $((restarts - ${was:-0})) times"
        why "$service" "$id"
        [[ -z $starting ]] || kill "$starting" 2>/dev/null || :
        return 1
      fi
      if [[ $state == running && $health == healthy ]]; then well=$((well + 1)); fi
    done <<<"$found"
    if [[ -z $starting ]] && ((well == $#)); then return 0; fi
    sleep 1
  done
  [[ -z $starting ]] || kill "$starting" 2>/dev/null || :
  while read -r service state health restarts id; do
    [[ " $* " == *" $service "* && $health != healthy ]] || continue
    say "$service is $state ($health)"
    why "$service" "$id"
  done < <(look)
  return 1
}

# --- what runs is what lies here: by content, not by a release's name

# configured postgres|caddy: makes the running one use the files that lie here, if it does not yet
configured() {
  local there
  case $1 in
    postgres)
      there=$(compose exec -T postgres cat /tmp/configuration </dev/null 2>/dev/null || :)
      [[ $there == "$(cd "$root/postgres" && LC_ALL=C sha256sum -- *)" ]] && return 0
      say "restarting PostgreSQL with its new configuration"
      compose restart postgres >/dev/null 2>&1
      ;;
    caddy)
      # Caddy compares by itself, and keeps what it has when the new one is no good; nobody's connection is closed
      compose exec -T caddy caddy reload --config /etc/caddy/Caddyfile --address unix//tmp/admin.sock </dev/null >"$change/caddy.log" 2>&1 && return 0
      # one that was started before it could be told
      if grep -q 'admin.sock: connect' "$change/caddy.log"; then compose restart caddy >/dev/null 2>&1; return; fi
      say "Caddy does not take its new configuration:"
      grep -v '"level":"\(info\|warn\)"' "$change/caddy.log" | tail -n 5 | quote
      return 1
      ;;
  esac
}

# served SECONDS: database and API, then Caddy: last, for only a Caddy of another image or definition is made anew
serve_api() {
  up_or_failed "$1" postgres && configured postgres && up_or_failed "$1" postgres api
}
serve_caddy() {
  up_or_failed "$1" postgres api caddy && configured caddy
}

# Nobody gets in while a change is tried: what was stored then would be gone if it went back. Caddy answers 503 at once.
close_door() { : >"$root/caddy/closed"; }
open_door() { rm -f "$root/caddy/closed"; }

# --- going back

# in_database SQL: one column, a line a row
in_database() {
  # shellcheck disable=SC2016
  compose exec -T postgres sh -c 'PGPASSWORD=$(cat /run/secrets/marketing/POSTGRES_PASSWORD) psql -h 127.0.0.1 -U marketing_owner -d postgres -v ON_ERROR_STOP=1 -AtXqc "$1"' sql "$1" </dev/null
}
# ours KIND: databases of that kind ("before", "refused", "restore") that this change has put aside, newest first
ours() {
  local since
  since=$(noted since | tr -d ':-' | tr '[:upper:]' '[:lower:]')
  in_database "select datname from pg_database where datname ~ '^marketing_$1_[0-9]{8}t[0-9]{6}z\$' and datname >= 'marketing_$1_$since' order by 1 desc"
}
# drop_ours KIND: returns 1 when one of them is still there
drop_ours() {
  local name names
  names=$(ours "$1") || return 1
  for name in $names; do in_database "drop database \"$name\" with (force)" || { say "$name could not be dropped"; return 1; }; done
}

own_files="compose.yaml caddy postgres scripts .env .env.example"
keep_files() {
  local file
  rm -rf "$change/before" "$change/before.new"
  mkdir -p "$change/before.new"
  for file in $own_files; do
    [[ ! -e $root/$file ]] || cp -a "$root/$file" "$change/before.new/"
  done
  rm -f "$change/before.new/caddy/closed"
  sync
  mv "$change/before.new" "$change/before"
}
# Into the folders that are there: a running container has these very folders mounted.
files_back() {
  local file path
  [[ -d $change/before ]] || return 0
  for file in $own_files; do
    [[ -e $change/before/$file ]] || continue
    if [[ -d $change/before/$file ]]; then
      for path in "$root/$file"/*; do
        [[ -e $change/before/$file/${path##*/} || ${path##*/} == closed ]] || rm -rf "$path"
      done
      (cd "$change/before/$file" && find . -type d) | while IFS= read -r path; do mkdir -p "$root/$file/$path"; done
      # each at every moment the old one or the new: whoever runs a script meanwhile never reads half of one
      (cd "$change/before/$file" && find . -type f) | while IFS= read -r path; do
        cp -a "$change/before/$file/$path" "$root/$file/$path.new"
        mv -f "$root/$file/$path.new" "$root/$file/$path"
      done
    else
      cp -a "$change/before/$file" "$root/$file"
    fi
  done
}

incoming=/data/incoming
# Nothing that was sent for a restore stays: neither files nor, wherever the work was cut off, the key.
forget_sent() {
  rm -f "/dev/shm/$(project)-restore".*
  compose run --rm --no-deps -T --entrypoint rm api -rf "$incoming" </dev/null >/dev/null 2>&1 ||
    { say "what was sent still lies in $incoming, for the engine does not answer; it is removed with the next look of the watchdog"; return 1; }
}

# go_back SECONDS: whatever the step was, the release, the files and the data from before. Can be cut off and run again.
# returns 1 when what was before does not become healthy
go_back() {
  local limit=$1 at image name aside
  at=$(noted step)
  # .env alone says which release runs, where it says it
  if grep -qs '^IMAGE=' "$root/.env"; then unset IMAGE; fi
  rm -f "$change/back-wanted"
  case $at in
    finishing)
      say "the $(noted verb) had arrived; finishing it"
      finish "$limit"
      return ;;
    applying)
      say "ending what was begun: $(noted verb) $(noted to)"
      MARKETING_ROOT=$root bash "$root/scripts/$(noted verb)" --again "$(noted to)" && ended
      return ;;
    holding)
      say "the move was not ended; serving again"
      compose up -d --no-build --wait --wait-timeout "$limit" >/dev/null && ended
      return ;;
  esac
  say "going back to $(noted from)"
  if [[ $at != preparing && $at != receiving ]]; then
    close_door
    compose stop api >/dev/null 2>&1 || :
    files_back
    image=$(noted image)
    if [[ -n $image ]]; then
      # by name if it still means the same image, else by the one that was kept
      name=$(noted from)
      [[ $(docker image inspect --format '{{.Id}}' "$name" 2>/dev/null || :) == "$image" ]] || name=$(noted kept)
      setting IMAGE "$name"
    fi
    # one that fell over the release's settings waits longer after each fall
    [[ $(state postgres) == healthy ]] || compose restart postgres >/dev/null 2>&1 || :
    up_or_failed "$limit" postgres || return 1
    configured postgres && up_or_failed "$limit" postgres || return 1
    # the copy that an upgrade makes is whole or not there, and until the new release starts the database is as it was
    if [[ $at != copying ]]; then
      aside=$(ours before | head -n 1)
      if [[ -n $aside ]]; then
        compose run --rm --no-deps -T api restore-undo "$aside" </dev/null >/dev/null || return 1
      fi
    fi
  fi
  serve_api "$limit" && serve_caddy "$limit" || return 1
  open_door
  drop_ours refused && drop_ours before && drop_ours restore || return 1
  [[ $(noted verb) != restore ]] || forget_sent || return 1
  ended
}

# finish SECONDS: the change has arrived: nothing of what was before is left behind
finish() {
  step finishing
  open_door
  up_or_failed "$1" postgres api caddy || return 1
  drop_ours before && drop_ours refused || return 1
  [[ $(noted verb) != restore ]] || forget_sent || return 1
  ended
}

# --- what only goes forward: where a setting or a secret is kept it is the old or the new; what is left is to let containers know

# forward VERB WHAT: takes the lock and notes it, after what was begun before is ended; then its value may be written
forward() {
  take_lock 10 || die "an upgrade, a restore or the watchdog is at work; nothing was changed; try again in a minute"
  if under_way; then
    [[ $(noted step) == applying ]] || die "cut off: $(tell_under_way). First: scripts/upgrade --back"
    go_back 180 || die "what was begun before could not be ended; nothing was changed. See: scripts/status"
  fi
  begin "$1" "what was before" "$2"
  step applying
}
# apply VERB WHAT: the rest of it, apart from the line
apply() {
  detach bash "$root/scripts/$1" --work "$2"
  follow
}
