# shellcheck shell=bash disable=SC2154 # variables come from places.sh
# A PostgreSQL server with an empty database, on a free port of the loopback address. It does not fsync: its data is
# made anew at each start.

folder=$state/postgres

start() {
  stop
  mkdir -p "$folder"
  local programs port password user=()
  programs=$(postgres_folder) || fail 'there are no PostgreSQL programs' 'Run script/setup test.'
  port=$(free_port)
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  mktemp -d /tmp/holdfast-postgres.XXXXXX >"$folder/data"
  local data
  data=$(cat "$folder/data")
  (umask 077 && printf %s "$password" >"$data/password")
  if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses root
    user=(setpriv --reuid nobody --regid nogroup --clear-groups)
    chown -R nobody:nogroup "$data"
  fi
  (cd / && quietly initdb "${user[@]}" "$programs/initdb" --pgdata "$data/cluster" --username holdfast \
    --auth scram-sha-256 --pwfile "$data/password" --encoding UTF8 --no-locale --no-sync)
  (umask 077 && echo "postgres://holdfast:$password@127.0.0.1:$port/postgres" >"$folder/url")
  launch "$folder/log" "${user[@]}" "$programs/postgres" -D "$data/cluster" -p "$port" -c listen_addresses=127.0.0.1 \
    -c "unix_socket_directories=$data" -c fsync=off -c external_pid_file="$data/pid"
  wait_until 30 PostgreSQL "$folder/log" running
}

running() {
  [ -e "$folder/url" ] && process_alive "$(cat "$folder/data")/pid" postgres &&
    timeout 5 "$(postgres_folder)/pg_isready" --quiet --dbname "$(cat "$folder/url")"
}

stop() {
  local data
  data=$(cat "$folder/data" 2>/dev/null) || return 0
  end_process "$data/pid" postgres 20
  rm -rf "$data" "$folder"
}

describe() { export_line HOLDFAST_TEST_POSTGRES "$(cat "$folder/url")"; }
