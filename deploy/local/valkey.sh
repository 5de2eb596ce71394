#!/usr/bin/env bash
# Valkey: as Redis, on the same port.
REDIS=valkey
. "$(dirname "$0")/redis.sh"
