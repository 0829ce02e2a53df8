# shellcheck shell=bash disable=SC2154 # variables come from places.sh
# An image with real databases beside Node, in the engine of DOCKER_HOST: for the proofs of consistent backups in bench/
# and soak/. It is made from the guestbook's web image and Debian packages, once, in about half a minute.

folder=$scripts/testbed-parts/databases

image() {
  local base
  base=$("$repo/examples/guestbook/build-images" --print | sed -n 's/^export GUESTBOOK_WEB_IMAGE=//p')
  printf 'holdfast-test/databases:%s' "$({ echo "$base" && cat "$folder/Dockerfile"; } | sha256sum | cut -c1-12)"
}

start() {
  local base
  base=$("$repo/examples/guestbook/build-images" | sed -n 's/^export GUESTBOOK_WEB_IMAGE=//p')
  quietly 'docker build of the databases' timeout 600 docker build --network host --build-arg "BASE=$base" \
    --tag "$(image)" "$folder"
}

running() { timeout 10 docker image inspect "$(image)" >/dev/null 2>&1; }

stop() { :; }

describe() { export_line HOLDFAST_TEST_DATABASES_IMAGE "$(image)"; }
