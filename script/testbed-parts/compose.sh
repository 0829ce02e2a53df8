# shellcheck shell=bash
# Docker Compose. Nothing runs.

start() { fail 'Docker Compose is missing' 'Run script/setup demo.'; }
running() { compose_command >/dev/null; }
stop() { :; }
describe() { export_line HOLDFAST_COMPOSE "$(compose_command)"; }
