#!/bin/sh
# Runs in a container: `mariadb.sh FOLDER PORT` is a MariaDB server whose data directory is made if it is not there. Whoever
# reaches the loopback address is its root, without a password.
set -eu
folder=$1
port=$2
mkdir -p "$folder"
chown mysql:mysql "$folder"
if [ ! -d "$folder/mysql" ]; then
  mariadb-install-db --user=mysql --datadir="$folder" --auth-root-authentication-method=normal --skip-test-db >&2
fi
exec mariadbd --user=mysql --datadir="$folder" --bind-address=127.0.0.1 --port="$port" --socket=/tmp/mariadb.sock \
  --pid-file=/tmp/mariadb.pid --skip-name-resolve --innodb-flush-log-at-trx-commit=1
