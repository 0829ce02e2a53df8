# shellcheck shell=bash disable=SC2154 # variables come from places.sh
# Which Docker Compose and restic there are. Needs places.sh and say.sh.

# Answers whether a Docker Engine can be reached by the environment's own settings.
engine_answers() { have docker && timeout 10 docker version >/dev/null 2>&1; }

# Prints the command of Docker Compose: version 2 where there is one, else Debian 12's version 1.
compose_command() {
  local fetched=$tools/docker-compose/usr/libexec/docker/cli-plugins/docker-compose
  if have docker && docker compose version >/dev/null 2>&1; then
    echo 'docker compose'
  elif [ -x "$fetched" ]; then
    echo "$fetched"
  elif have docker-compose; then
    command -v docker-compose
  else
    return 1
  fi
}

# Prints one line per stock restic: the machine's own, then the newer one that setup fetched.
restic_programs() {
  local fetched=$tools/restic/usr/bin/restic
  ! have restic || command -v restic
  [ ! -x "$fetched" ] || echo "$fetched"
}

postgres_folder() {
  local program
  for program in $(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -rV) $(command -v initdb); do
    dirname "$(readlink -f "$program")"
    return
  done
  return 1
}
