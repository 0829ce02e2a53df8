# shellcheck shell=bash disable=SC2154 # variables come from places.sh
# The packages of the lockfile, and with them Node 24 in node_modules/.bin/node.

setup_node_packages() {
  local installed=$repo/node_modules/.package-lock.json
  if [ ! -e "$installed" ] || [ "$repo/package-lock.json" -nt "$installed" ]; then
    have npm || fail 'npm is missing' 'Install Node.js 20 or later with npm 11.'
    say 'installing the npm packages of package-lock.json'
    (cd "$repo" && quietly 'npm ci' npm ci) || exit 1
    touch "$installed"
  fi
  local version
  version=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/') || version=
  [ "${version:-0}" -ge 24 ] ||
    fail 'there is no Node.js 24 or later' "The npm package for this machine ($(uname -m)) brought none. Put a Node.js 24 on the PATH."
}
