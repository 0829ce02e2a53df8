# shellcheck shell=bash disable=SC2034,SC2154 # variables come from places.sh and go to the parts
# What the private Docker Engines of the test bed have in common. Needs say.sh and processes.sh.

# Test beds with different state folders get interfaces and networks of their own.
number=$(printf %s "$state" | cksum | cut -d' ' -f1)
network=10.$((120 + number % 100))
number=$((number % 100000))

# The command that runs the daemon, where that has to be somewhere else than this script.
engine_namespace=()

# Mounts that are made outside later stay visible inside.
use_cgroup2() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  engine_namespace=(unshare --mount --propagation slave sh -c
    'umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"' sh)
}

# start_engine FOLDER DATA DOCKERD-OPTION...
start_engine() {
  local folder=$1 data=$2
  shift 2
  rm -f "$folder/pid"
  launch "$folder/log" "${engine_namespace[@]}" dockerd --data-root "$data" --exec-root "$folder/exec" \
    --pidfile "$folder/pid" --shutdown-timeout 10 "$@"
  wait_until 60 'the Docker Engine' "$folder/log" running
}

engine_runs() { process_alive "$1/pid" dockerd && timeout 10 docker --host "$2" version >/dev/null 2>&1; }

stop_engine() { end_process "$1/pid" dockerd 45; }

# The interfaces that the engine's networks leave behind when it ends.
compose_bridges() {
  timeout 10 docker --host "$1" network ls --quiet --filter driver=bridge --filter type=custom | sed 's/^/br-/'
}
