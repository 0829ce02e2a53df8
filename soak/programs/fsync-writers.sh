#!/bin/sh
# Runs in a container: `fsync-writers.sh FOLDER` writes to several files at a time and brings each write to the disk, for ever.
set -eu
for writer in 1 2 3 4; do
  while :; do
    dd if=/dev/zero of="$1/file-$writer" bs=64k count=8 conv=fsync 2>/dev/null
    dd if=/dev/zero of="$1/sync-$writer" bs=4k count=16 oflag=dsync 2>/dev/null
  done &
done
wait
