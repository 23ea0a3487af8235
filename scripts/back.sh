# shellcheck shell=bash
# How a change of the appliance is taken back to what was before, or finished once it has arrived: databases, files, containers.
# A part of change.sh. Sourced, never run.
# shellcheck disable=SC2154 # lib.sh says where things are

# in_database SQL [DATABASE]: one column, a line a row
in_database() {
  # shellcheck disable=SC2016
  compose exec -T postgres sh -c 'PGPASSWORD=$(cat /run/secrets/marketing/POSTGRES_PASSWORD) psql -h 127.0.0.1 -U marketing_owner -d "$2" -v ON_ERROR_STOP=1 -AtXqc "$1"' sql "$1" "${2:-postgres}" </dev/null
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
      # the move had arrived, and only its end was cut off
      if [[ -s $root/.moved ]]; then ended; return; fi
      say "the move was not ended; serving again"
      compose up -d --no-build --wait --wait-timeout "$limit" >/dev/null && ended
      return ;;
  esac
  say "going back to $(noted from)"
  if [[ $at != preparing && $at != receiving && $at != received ]]; then
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
