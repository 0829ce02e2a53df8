# shellcheck shell=bash disable=SC2154 # variables come from places.sh
# Debian packages: which are missing is decided by the programs that they bring.

export DEBIAN_FRONTEND=noninteractive

setup_debian_packages() {
  missing=()
  packages_for_demo
  [ "$1" = demo ] || packages_for_images
  [ "$1" != test ] || packages_for_test
  [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

# need PROGRAM PACKAGE...
need() { have "$1" || missing+=("${@:2}"); }

packages_for_demo() {
  need docker docker.io
  engine_answers || need dockerd docker.io iptables
  engine_answers || need ip iproute2
}

packages_for_images() { need mmdebstrap mmdebstrap; }

packages_for_test() {
  need dockerd docker.io
  need iptables iptables
  need ip iproute2
  need restic restic
  need redis-server redis-server
  need redis-cli redis-tools
  need radosgw radosgw
  need ceph-mon ceph-mon
  need ceph-osd ceph-osd
  need ceph ceph-common
  postgres_folder >/dev/null || missing+=(postgresql)
  need getfattr attr
  need getfacl acl
  is_static /bin/busybox || missing+=(busybox-static)
}

is_static() { [ -x "$1" ] && ! ldd "$1" >/dev/null 2>&1; }

install_packages() {
  local list
  list=$(printf '%s\n' "$@" | sort -u | tr '\n' ' ')
  list=${list% }
  if [ "$(id -u)" != 0 ] || ! have apt-get || [ -n "${HOLDFAST_NO_INSTALL:-}" ]; then
    fail "these Debian packages are missing: $list" "As root: apt-get install -y --no-install-recommends $list"
  fi
  say "installing Debian packages: $list"
  keep_services_off
  # shellcheck disable=SC2086 # a list of words
  apt_install $list
  let_services_be
}

apt_install() {
  local apt=(apt-get -q -y -o DPkg::Lock::Timeout=120)
  # The lists may be missing or name packages that the mirror no longer has.
  if "${apt[@]}" install --no-install-recommends --download-only "$@" >/dev/null 2>&1 </dev/null ||
    quietly 'apt-get update' "${apt[@]}" update; then
    quietly 'apt-get install' "${apt[@]}" install --no-install-recommends "$@" && return
  fi
  let_services_be
  fail 'the packages could not be installed' "Try by hand: apt-get install $*"
}

# Debian starts what it installs, on its well-known port; nothing here wants that.
policy=/usr/sbin/policy-rc.d
policy_is_ours=
keep_services_off() {
  [ ! -e "$policy" ] || return 0
  policy_is_ours=1
  trap let_services_be EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}

let_services_be() {
  [ -z "$policy_is_ours" ] || rm -f "$policy"
  policy_is_ours=
}
