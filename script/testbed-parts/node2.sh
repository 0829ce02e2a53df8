# shellcheck shell=bash disable=SC2154 # variables come from places.sh
# A second Docker Engine, as another machine would have it: in a network namespace of its own, reached over TCP. The
# address exists between the two namespaces only.

. "$scripts/lib/engine.sh"

folder=$state/node2
namespace=holdfast-$number
address=$network.254.2
url=tcp://$address:2375

start() {
  [ "$(id -u)" = 0 ] || fail 'a second node needs root'
  mkdir -p "$folder" "$cache/testbed"
  [ -e "/run/netns/$namespace" ] || make_namespace
  # Not `ip netns exec`: that hides the cgroup mounts.
  engine_namespace=(nsenter "--net=/run/netns/$namespace")
  start_engine "$folder" "$cache/testbed/node2" --host "unix://$folder/docker.sock" --host "$url" --tls=false
}

make_namespace() {
  ip netns add "$namespace"
  ip link add "hfa$number" type veth peer name "hfb$number" netns "$namespace"
  ip address add "$network.254.1/30" dev "hfa$number"
  ip link set "hfa$number" up
  ip -n "$namespace" address add "$address/30" dev "hfb$number"
  ip -n "$namespace" link set "hfb$number" up
  ip -n "$namespace" link set lo up
}

running() { engine_runs "$folder" "$url"; }

stop() {
  stop_engine "$folder"
  ip netns delete "$namespace" 2>/dev/null || true
  ip link delete "hfa$number" 2>/dev/null || true
}

describe() {
  export_line HOLDFAST_TEST_NODE2 "$url"
  export_line HOLDFAST_TEST_NODE2_SOCKET "unix://$folder/docker.sock"
}
