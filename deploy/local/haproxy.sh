#!/usr/bin/env bash
# HAProxy with deploy/haproxy/haproxy.cfg, whose variables come from the environment.
. "$(dirname "$0")/lib.sh"

fetch() { deb haproxy; }

start() {
  mkdir -p "$dir/1"
  cp "$here/../haproxy/haproxy.cfg" "$dir/1/config"
  launch 1 haproxy -W -f "$dir/1/config"
  ready 1 listens "${KLATCH_LISTEN%:*}" "${KLATCH_LISTEN##*:}"
}

main "$@"
