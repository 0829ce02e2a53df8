# shellcheck shell=bash disable=SC2034 # variables are for those who source this
# Where things are. Sourced by every script here; sets variables only.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
home=~ # also right where HOME is not set

# Kept between runs: downloaded tools, image layers, the private engine's data.
cache=${HOLDFAST_CACHE:-${XDG_CACHE_HOME:-$home/.cache}/holdfast}
tools=$cache/tools

# Process ids and sockets of the running test bed; gone after a reboot, as the processes are.
if [ -n "${HOLDFAST_TESTBED_STATE:-}" ]; then
  state=$HOLDFAST_TESTBED_STATE
elif [ "$(id -u)" = 0 ]; then
  state=/run/holdfast-testbed
else
  state=${XDG_RUNTIME_DIR:-/tmp}/holdfast-testbed-$(id -u)
fi

# Debian keeps daemons where an ordinary user's PATH does not look.
PATH=$repo/node_modules/.bin:$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH
