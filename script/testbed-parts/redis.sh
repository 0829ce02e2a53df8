# shellcheck shell=bash disable=SC2154 # variables come from places.sh
# A Redis server with nothing in it, on a free port of the loopback address.

folder=$state/redis

start() {
  mkdir -p "$folder/data"
  local port
  port=$(free_port)
  echo "$port" >"$folder/port"
  launch "$folder/log" redis-server --bind 127.0.0.1 --port "$port" --dir "$folder/data" --pidfile "$folder/pid" \
    --daemonize no --save '' --appendonly no
  wait_until 20 Redis "$folder/log" running
}

running() {
  process_alive "$folder/pid" redis-server &&
    [ "$(timeout 5 redis-cli -h 127.0.0.1 -p "$(cat "$folder/port")" ping 2>/dev/null)" = PONG ]
}

stop() {
  end_process "$folder/pid" redis-server 20
  rm -rf "$folder"
}

describe() { export_line HOLDFAST_TEST_REDIS "redis://127.0.0.1:$(cat "$folder/port")"; }
