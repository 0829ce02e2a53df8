# shellcheck shell=bash disable=SC2154 # variables come from places.sh
# Starting and ending daemons by process id, always bounded in time. Needs say.sh.

# launch LOG COMMAND...: runs it on its own, away from this script's terminal and locks.
launch() {
  local log=$1
  shift
  setsid "$@" >"$log" 2>&1 </dev/null 7>&- 8>&- 9>&- &
}

# process_alive PIDFILE NAME: that id runs, and still is the program of that name.
process_alive() {
  local pid name
  pid=$(cat "$1" 2>/dev/null) && name=$(cat "/proc/$pid/comm" 2>/dev/null) && [ "$name" = "$2" ]
}

# wait_until SECONDS WHAT LOG COMMAND...
wait_until() {
  local deadline=$((SECONDS + $1)) what=$2 log=$3
  shift 3
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      say "$what did not get ready in time; the end of $log:"
      tail -n 15 "$log" | sed 's/^/  | /' >&2
      return 1
    fi
    sleep 0.1
  done
}

# end_process PIDFILE NAME SECONDS: asks, waits, then kills.
end_process() {
  process_alive "$1" "$2" || return 0
  local pid deadline=$((SECONDS + $3))
  pid=$(cat "$1")
  kill "$pid" 2>/dev/null || return 0
  while process_alive "$1" "$2"; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      say "$2 ($pid) did not end within $3 s: killing it"
      kill -KILL "$pid" 2>/dev/null || true
      deadline=$((SECONDS + 5))
    fi
    sleep 0.1
  done
}

# Prints a TCP port of the loopback address on which nobody listens at this moment.
free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)); (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}
