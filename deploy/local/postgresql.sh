#!/usr/bin/env bash
# PostgreSQL on port 5432, user `postgres`, no password. Node 1 is the primary, the others stream from it;
# a commit returns when a majority of the nodes has applied it (synchronous_commit = remote_apply).
# PgBouncer is fetched with it; who wants one before the server starts it.
. "$(dirname "$0")/lib.sh"

bin=/usr/lib/postgresql/15/bin
stop_signal=INT # a fast shutdown

fetch() { deb postgresql-15 pgbouncer; }

config() { # I N
  cat <<END
listen_addresses = '$(ip "$1")'
port = 5432
unix_socket_directories = ''
wal_level = logical
hot_standby = on
shared_buffers = 64MB
include_if_exists = '$dir/$1/settings'
END
  # A replica begins with a copy of node 1's settings, so say that it waits for nobody once it is promoted.
  (($1 > 1)) && echo "synchronous_standby_names = ''" && return
  (($2 == 1)) || cat <<END
synchronous_standby_names = 'ANY $(($2 / 2)) (*)'
synchronous_commit = remote_apply
END
}

start() {
  local i
  for i in $(seq "$1"); do
    if [[ ! -e $dir/$i/data/PG_VERSION ]]; then
      mkdir -p "$dir/$i"
      give_to_plain_user "$dir/$i"
      if ((i == 1)); then
        "${plain_user[@]}" $bin/initdb -D "$dir/1/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >"$dir/1/initdb.log"
      else
        "${plain_user[@]}" $bin/pg_basebackup -D "$dir/$i/data" -d "host=$(ip 1) user=postgres application_name=node$i" \
          --write-recovery-conf --checkpoint=fast
      fi
      config "$i" "$1" >>"$dir/$i/data/postgresql.conf"
    fi
    alive "$i" || rm -f "$dir/$i/data/postmaster.pid" # our lock knows better: a zombie still has its process id
    launch "$i" "${plain_user[@]}" $bin/postgres -D "$dir/$i/data"
    ready "$i" $bin/pg_isready -h "$(ip "$i")"
  done
}

main "$@"
