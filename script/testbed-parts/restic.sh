# shellcheck shell=bash
# Stock restic: the machine's own and a newer one. Nothing runs.

start() { fail 'stock restic is missing' 'Run script/setup test.'; }
running() { [ -n "$(restic_programs)" ]; }
stop() { :; }
describe() { export_line HOLDFAST_TEST_RESTIC "$(restic_programs | paste -sd:)"; }
