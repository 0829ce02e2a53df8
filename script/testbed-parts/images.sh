# shellcheck shell=bash disable=SC2154 # variables come from places.sh
# Container images in the engine of DOCKER_HOST: a tiny one for tests, and those of examples/guestbook.

image=holdfast-test/busybox

start() {
  (cd / && quietly 'importing busybox' import_busybox)
  "$repo/examples/guestbook/build-images" >/dev/null
}

# Every program that busybox knows, and the folders that a container expects.
import_busybox() {
  local root
  root=$(mktemp -d)
  mkdir -p "$root"/{bin,etc,tmp,root}
  cp /bin/busybox "$root/bin/"
  ln -s bin "$root/sbin"
  local program
  for program in $(busybox --list); do
    [ "$program" = busybox ] || ln -s busybox "$root/bin/$program"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
  chmod 1777 "$root/tmp"
  tar -C "$root" --owner 0 --group 0 -c . | docker import --change 'CMD ["/bin/sh"]' - "$image"
  rm -rf "$root"
}

running() {
  timeout 10 docker image inspect "$image" >/dev/null 2>&1 && "$repo/examples/guestbook/build-images" --check
}

stop() { :; }

describe() {
  export_line HOLDFAST_TEST_IMAGE "$image"
  "$repo/examples/guestbook/build-images" --print
}
