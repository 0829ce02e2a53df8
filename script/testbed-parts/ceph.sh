# shellcheck shell=bash disable=SC2154 # variables come from places.sh
# An S3 server: Ceph's gateway on a free port of the loopback address, with one monitor and one storage daemon that
# keeps everything in memory. It checks signatures. Its data is gone when it ends.

folder=$state/ceph

start() {
  mkdir -p "$folder"
  (cd "$folder" && umask 077 && configure && make_keys && make_monitor) || return 1
  ceph_launch mon ceph-mon --id a
  ceph_client osd create "$(cat "$folder/osd-uuid")" 0 >/dev/null
  (cd / && quietly 'making the storage daemon' ceph_program ceph-osd --id 0 --mkfs --osd-uuid "$(cat "$folder/osd-uuid")")
  ceph_launch osd ceph-osd --id 0
  wait_until 30 "Ceph's storage daemon" "$folder/osd.log" storage_is_up
  make_pools
  (umask 077 && make_user)
  ceph_launch gateway radosgw --name client.gateway
  wait_until 30 "Ceph's gateway" "$folder/gateway.log" gateway_answers
}

configure() {
  local fsid port
  fsid=$(cat /proc/sys/kernel/random/uuid)
  cat /proc/sys/kernel/random/uuid >osd-uuid
  port=$(free_port)
  free_port >gateway-port
  while [ "$(cat gateway-port)" = "$port" ]; do free_port >gateway-port; done
  mkdir mon osd gateway
  cat >ceph.conf <<CONFIGURATION
[global]
fsid = $fsid
mon_host = [v2:127.0.0.1:$port]
public_addr = 127.0.0.1
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
keyring = $folder/keyring
run_dir = $folder
admin_socket = $folder/\$cluster-\$type.\$id.asok
crash_dir = $folder
log_file =
log_to_stderr = true
mon_cluster_log_file = /dev/null
mon_allow_pool_size_one = true
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
[mon]
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
mon_data = $folder/mon
mon_data_avail_crit = 1
mon_data_avail_warn = 1
[osd]
osd_data = $folder/osd
osd_objectstore = memstore
osd_class_dir = $(class_folder)
memstore_device_bytes = 8589934592
[client.gateway]
rgw_data = $folder/gateway
rgw_frontends = beast endpoint=127.0.0.1:$(cat gateway-port)
rgw_gc_obj_min_wait = 5
rgw_gc_processor_period = 10
rgw_gc_processor_max_time = 10
rgw_bucket_quota_ttl = 0
rgw_enable_usage_log = false
rgw_enable_ops_log = false
CONFIGURATION
}

class_folder() { dirname "$(compgen -G '/usr/lib/*/rados-classes/libcls_rgw.so' | head -n 1)"; }

make_keys() {
  local keys=(quietly 'making keys' ceph-authtool keyring)
  "${keys[@]}" --create-keyring --gen-key --name mon. --cap mon 'allow *' &&
    "${keys[@]}" --gen-key --name client.admin --cap mon 'allow *' --cap osd 'allow *' &&
    "${keys[@]}" --gen-key --name osd.0 --cap mon 'profile osd' --cap osd 'allow *' &&
    "${keys[@]}" --gen-key --name client.gateway --cap mon 'allow rw' --cap osd 'allow rwx'
}

make_monitor() {
  quietly 'making the map of monitors' ceph_program monmaptool --create --fsid "$(sed -n 's/^fsid = //p' ceph.conf)" \
    --addv a "$(sed -n 's/^mon_host = //p' ceph.conf)" monmap &&
    quietly 'making the monitor' ceph_program ceph-mon --id a --mkfs --monmap monmap --keyring keyring
}

# Pools that the gateway would make one after the other when it starts.
make_pools() {
  local pool
  for pool in .rgw.root default.rgw.{log,control,meta,buckets.index,buckets.data,buckets.non-ec}; do
    echo "osd pool create $pool 4"
    echo "osd pool application enable $pool rgw"
  done | ceph_client >/dev/null
}

make_user() {
  ceph_program radosgw-admin --name client.gateway user create --uid holdfast --display-name Holdfast \
    >"$folder/user.json" 2>"$folder/user.log" </dev/null || { tail "$folder/user.log" >&2; return 1; }
}

ceph_program() { "$1" --conf "$folder/ceph.conf" "${@:2}"; }

ceph_client() { (cd / && timeout 30 ceph --conf "$folder/ceph.conf" --connect-timeout 20 "$@" 2>>"$folder/client.log"); }

# ceph_launch NAME PROGRAM OPTION... Not their own --pid-file: the gateway writes none in the foreground.
ceph_launch() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  launch "$folder/$1.log" sh -c 'echo $$ >"$1" && shift && exec "$@"' sh "$folder/$1.pid" \
    "$2" --conf "$folder/ceph.conf" --foreground "${@:3}"
}

storage_is_up() { ceph_client osd stat | grep -q ' 1 up'; }

gateway_url() { echo "http://127.0.0.1:$(cat "$folder/gateway-port")/"; }

gateway_answers() { timeout 5 bash -c "</dev/tcp/127.0.0.1/$(cat "$folder/gateway-port")"; }

running() {
  process_alive "$folder/mon.pid" ceph-mon && process_alive "$folder/osd.pid" ceph-osd &&
    process_alive "$folder/gateway.pid" radosgw && gateway_answers
} 2>/dev/null

# There is nothing to save, and they take their time when they are asked.
stop() {
  end_at_once gateway radosgw
  end_at_once osd ceph-osd
  end_at_once mon ceph-mon
  rm -rf "$folder"
}

# end_at_once NAME PROGRAM
end_at_once() {
  ! process_alive "$folder/$1.pid" "$2" || kill -KILL "$(cat "$folder/$1.pid")"
  end_process "$folder/$1.pid" "$2" 10
}

# user_key NAME: of the first key in the user's description.
user_key() { sed -n "s/^ *\"$1\": \"\(.*\)\".*/\1/p" "$folder/user.json" | head -n 1 | sed 's|\\/|/|g'; }

describe() {
  export_line HOLDFAST_TEST_S3 "s3:$(gateway_url)"
  export_line HOLDFAST_TEST_S3_ACCESS_KEY "$(user_key access_key)"
  export_line HOLDFAST_TEST_S3_SECRET_KEY "$(user_key secret_key)"
  export_line HOLDFAST_TEST_S3_ADMIN "radosgw-admin --conf $folder/ceph.conf --name client.gateway"
}
