# shellcheck shell=bash
# Changes of the appliance (upgrade, restore, set, rotate): done apart from the line they were asked over, with every step noted, so
# that whoever comes next (a person, the watchdog, the machine's next start) can bring a defined state about.
# Sourced, never run.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=back.sh
. "$(dirname "${BASH_SOURCE[0]}")/back.sh"

# --- what is under way: $change/state, lines of NAME=VALUE

# note NAME VALUE: on the disk before this returns, whole or not at all
note() {
  local file=$change/state
  { grep -v "^$1=" "$file" 2>/dev/null || :; printf '%s=%s\n' "$1" "$2"; } >"$file.new"
  on_disk "$file.new"
  mv "$file.new" "$file"
  # the name too: a rename that a power cut undoes would bring the step from before back
  on_disk "$change"
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

# After a move the data are elsewhere: an API that is started here again would take its half of what comes in.
not_moved() {
  [[ ! -s $root/.moved ]] ||
    die "this installation was moved to another machine on $(cat "$root/.moved"), and this would start it here again; nothing was changed. If that is meant, first: rm $root/.moved"
}

# --- working apart from the line

# Whether somebody works: the lock is held from the first step to the last.
working() { [[ -e $change/lock ]] && ! (exec 9>>"$change/lock" && flock -n 9); }

# detach COMMAND…: runs it as the system's own, or at least in a session of its own; the lock goes over to it. Until it has
# taken that, somebody else may begin something: so the work has a name, in $MARKETING_WORK, and who follows it looks for that.
detach() {
  local runner=() name
  MARKETING_WORK=$$-$RANDOM-$(date +%s)
  export MARKETING_WORK
  rm -f "$change/result"
  echo "$MARKETING_WORK" >"$change/work"
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

# whether the last work that was begun here is this one
still_ours() { [[ $(cat "$change/work" 2>/dev/null || :) == "${MARKETING_WORK-}" ]]; }

# result STATUS: how the work ended, for those who follow. A child that is ended before it has become what it was made for has
# our trap still: it says nothing, for the work goes on.
result() {
  [[ $(exec sh -c 'echo "$PPID"') == "$$" ]] || return 0
  still_ours || return 0
  echo "$1 ${MARKETING_WORK-}" >"$change/result.new"
  mv "$change/result.new" "$change/result"
}

# apart: the first thing that the detached half does
apart() {
  trap '' PIPE HUP
  exec >>"$change/log" 2>&1 </dev/null
  trap 'result $?' EXIT
  # as when the machine goes down: bash would call that 0
  trap 'exit 143' TERM
  take_lock 60 || die "another upgrade, a restore or the watchdog is at work; try again in a minute"
  # somebody was faster; what was begun here is theirs to settle, and so is the log
  still_ours || exit 1
  echo $$ >"$change/pid"
}

# follow [WORK]: shows the log as it grows, to its end; of that work only, if it is named. returns the exit status of the work
follow() {
  local part='' line ended alone=0 status work
  [[ -e $change/log ]] || { say "nothing was done here yet"; return 1; }
  exec 8<"$change/log"
  while :; do
    if [[ -n ${1-} && $(cat "$change/work" 2>/dev/null || :) != "$1" ]]; then
      say "error: something else was begun here before this was, and took its place; scripts/upgrade --follow shows that, scripts/status says what serves. Then run this again"
      return 1
    fi
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
    if [[ $ended == yes ]] && read -r status work <"$change/result" && [[ -z ${1-} || $work == "$1" ]]; then return "$status"; fi
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
  docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{if index .State "Health"}}{{or .State.Health.Status "-"}}{{else}}-{{end}} {{.RestartCount}} {{.Id}}' $ids 2>/dev/null || :
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
# why_up_failed: the last lines of docker compose up, from $change/up.log, and the last words of each service that is not healthy
why_up_failed() {
  local service state health restarts id
  tail -n 8 "$change/up.log" | quote
  while read -r service state health restarts id; do
    [[ $service == init && $state == exited || $health == healthy ]] || why "$service" "$id"
  done < <(look)
}

# up_or_failed SECONDS SERVICE…: starts them and waits until they are healthy; says why they are not as soon as it is known
up_or_failed() {
  local end=$((SECONDS + $1)) starting service state health restarts id found well first was
  shift
  if [[ -e $change/back-wanted ]]; then say "asked to go back"; return 1; fi
  # restarts from before are not this start's
  first=$(look)
  (cd "$root" && exec docker compose --progress quiet up -d --no-build "$@") </dev/null >"$change/up.log" 2>&1 9>&- &
  starting=$!
  while ((SECONDS < end)); do
    if [[ -e $change/back-wanted ]]; then say "asked to go back"; break; fi
    if [[ -n $starting ]] && ! kill -0 "$starting" 2>/dev/null; then
      if ! wait "$starting"; then
        say "docker compose up failed:"
        why_up_failed
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
  up_or_failed "$1" postgres api caddy && configured caddy && mark_served
}

# That a release was healthy here once. Until then one that does not start may be replaced by any other, for nothing can be lost.
mark_served() { [[ -e $change/served ]] || { mkdir -p "$change" && : >"$change/served"; }; }

# never_served: whether no release has served here yet. A release before this script noted nothing, so where the API is sick or
# gone the database is asked: as long as it holds no site, nobody was served.
never_served() {
  local found
  [[ ! -e $change/served ]] || return 1
  [[ -n $(look) ]] || return 0
  if [[ $(state api) == healthy ]]; then mark_served; return 1; fi
  if [[ $(state postgres) != healthy ]]; then
    # what never got as far as a cluster holds nothing
    compose run --rm --no-deps -T --entrypoint test postgres -e /var/lib/marketing-state/initialised </dev/null >/dev/null 2>&1 || return 0
    up_or_failed 180 postgres || die "PostgreSQL does not start, so nobody can say whether anything is stored here; see: docker compose logs postgres"
  fi
  found=$(in_database "select to_regclass('public.sites')" marketing) || die "the database does not say whether anything is stored here; see: docker compose logs postgres"
  [[ -z $found || $(in_database 'select exists (select from sites)' marketing) == f ]] || { mark_served; return 1; }
}

# Nobody gets in while a change is tried: what was stored then would be gone if it went back. Caddy answers 503 at once.
close_door() { : >"$root/caddy/closed"; }
open_door() { rm -f "$root/caddy/closed"; }

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
  follow "$MARKETING_WORK"
}
