# shellcheck shell=bash disable=SC2154 # variables come from places.sh
# A Docker Engine of our own. It leaves the machine's firewall alone (ports are published by Docker's proxy process),
# has a bridge of its own, and keeps images and volumes in the cache folder.
#
# Where the machine mounts cgroup v1, the engine gets a mount namespace with v2: on v1 the kernel often fails to freeze
# containers that write hard. `node2` stays with what the machine mounts, so that both are tested.

. "$scripts/lib/engine.sh"

folder=$state/docker
socket=$folder/docker.sock
bridge=hf-$number

start() {
  [ "$(id -u)" = 0 ] || fail 'a Docker Engine of our own needs root' 'Set DOCKER_HOST to an engine that answers.'
  mkdir -p "$folder" "$cache/testbed"
  ip link show "$bridge" >/dev/null 2>&1 || ip link add "$bridge" type bridge
  ip address replace "$network.255.1/24" dev "$bridge"
  ip link set "$bridge" up
  [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || use_cgroup2
  start_engine "$folder" "$cache/testbed/docker" --host "unix://$socket" --bridge "$bridge" \
    --iptables=false --ip6tables=false --default-address-pool "base=$network.0.0/16,size=24"
}

running() { engine_runs "$folder" "unix://$socket"; }

stop() {
  local bridges=()
  ! running || mapfile -t bridges < <(compose_bridges "unix://$socket")
  stop_engine "$folder"
  local name
  for name in "$bridge" "${bridges[@]}"; do
    ip link delete "$name" 2>/dev/null || true
  done
}

describe() { export_line DOCKER_HOST "unix://$socket"; }
