# shellcheck shell=bash disable=SC2154 # variables come from places.sh
# Messages go to stderr: stdout belongs to the result. Needs places.sh.

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

# The comment at the top of the script that is running.
show_help() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; }

# fail MESSAGE [HINT]
fail() {
  say "$1"
  [ $# -lt 2 ] || printf '  %s\n' "$2" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# quietly WHAT COMMAND...: output goes to a log; its end is shown if the command fails.
quietly() {
  local what=$1 log
  shift
  mkdir -p "$cache/log"
  log=$cache/log/$(basename "$0").log
  printf '\n== %s %s\n' "$(date --iso-8601=seconds)" "$*" >>"$log"
  local from
  from=$(wc -l <"$log")
  "$@" >>"$log" 2>&1 </dev/null && return
  say "$what failed; the whole log is in $log"
  tail -n "+$((from + 1))" "$log" | tail -n 20 | sed 's/^/  | /' >&2
  return 1
}
