#!/bin/sh
# Runs in a container: `postgres.sh FOLDER PORT [OPTION...]` is a PostgreSQL server whose cluster is made if it is not there.
# Whoever reaches the loopback address may do everything.
set -eu
folder=$1
port=$2
shift 2
programs=$(echo /usr/lib/postgresql/*/bin)
as_postgres="setpriv --reuid postgres --regid postgres --init-groups env LANG=C.UTF-8"

mkdir -p "$folder"
chown postgres:postgres "$folder"
if [ ! -e "$folder/PG_VERSION" ]; then
  $as_postgres "$programs/initdb" --no-sync --pgdata "$folder" --username postgres --auth trust --encoding UTF8 --no-locale >&2
fi
exec $as_postgres "$programs/postgres" -D "$folder" -p "$port" -c listen_addresses=127.0.0.1 \
  -c unix_socket_directories=/tmp "$@"
