# shellcheck shell=bash disable=SC2154 # variables come from places.sh
# Docker Compose 2 and restic 0.18, which Debian 12 lacks, out of Debian 13: fetched by apt with a configuration of
# its own (the machine's mirror and keys, none of its lists), verified by apt, unpacked beside the cache, not installed.

newer_suite=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

setup_newer_tools() {
  if ! compose_is_v2; then
    fetch_newer docker-compose 'Docker Compose 2' || install_older_compose
  fi
  [ "$1" = test ] || return 0
  [ -x "$tools/restic/usr/bin/restic" ] || fetch_newer restic 'restic 0.18' ||
    say "going on without a newer restic: tests that compare with it are skipped"
}

compose_is_v2() {
  local command
  command=$(compose_command) || return 1
  ! $command version 2>/dev/null | grep -q 'version 1\.'
}

install_older_compose() {
  compose_command >/dev/null || install_packages docker-compose
  say 'using Docker Compose 1.29, which Docker no longer maintains'
}

# The URIs of the machine's own Debian mirror, most likely first.
mirror_uris() {
  local codename
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  # shellcheck disable=SC2016 # these are apt's own placeholders
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v own="$codename" '$3 == "main" && $2 == own { print $1 }' | sort -u
}

# fetch_newer PACKAGE WHAT: leaves the unpacked package in $tools/PACKAGE.
fetch_newer() {
  local package=$1 what=$2 uri
  have apt-get && have dpkg && [ -e "$keyring" ] || return 1
  for uri in $(mirror_uris); do
    say "fetching $what out of Debian's suite $newer_suite"
    ! fetch_from "$uri" "$package" || return 0
  done
  say "$what could not be had from $newer_suite"
  return 1
}

fetch_from() {
  local work
  work=$(mktemp -d "$cache/fetch.XXXXXX")
  mkdir -p "$work"/{lists/partial,archives/partial,unpacked} "$tools"
  : >"$work/status"
  echo "deb [signed-by=$keyring] $1 $newer_suite main" >"$work/sources.list"
  local apt=(apt-get -q -o "Dir::State=$work" -o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/status"
    -o "Dir::Cache=$work" -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null -o APT::Sandbox::User=)
  local result=0
  (
    cd "$work"
    quietly "reading the package list of $newer_suite" "${apt[@]}" update &&
      quietly "fetching $2" "${apt[@]}" download "$2" &&
      quietly "unpacking $2" dpkg -x "$2"_*.deb unpacked
  ) || result=1
  if [ $result = 0 ]; then
    rm -rf "${tools:?}/$2"
    mv "$work/unpacked" "$tools/$2"
  fi
  rm -rf "$work"
  return $result
}
