#!/usr/bin/env bash
# RabbitMQ: AMQP on port 5672, streams on 5552, user and password `guest`. The nodes form one cluster.
. "$(dirname "$0")/lib.sh"

fetch() { deb rabbitmq-server; }

name() { echo "rabbit$1@$(ip "$1")"; }

config() { # I
  cat <<END
listeners.tcp.1 = $(ip "$1"):5672
stream.listeners.tcp.1 = $(ip "$1"):5552
stream.advertised_host = $(ip "$1")
loopback_users = none
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.classic_config.nodes.1 = $(name 1)
cluster_formation.classic_config.nodes.2 = $(name "$1")
cluster_partition_handling = pause_minority
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 50MB
log.console = true
log.console.level = warning
END
}

start() {
  local i addresses forming=
  [[ -e $dir/1/data ]] || forming=yes
  addresses=$(for i in $(seq "$1"); do ip "$i"; done | paste -sd,)
  # Erlang's port mapper, which every node asks for the others: our own, on a port of its own.
  export ERL_EPMD_PORT=$((4370 + ${net##*.}))
  mkdir -p "$dir/epmd"
  launch epmd "${plain_user[@]}" epmd -port $ERL_EPMD_PORT -address "$addresses"
  ready epmd listens "$(ip 1)" $ERL_EPMD_PORT

  for i in $(seq "$1"); do
    mkdir -p "$dir/$i"
    { config "$i" && settings "$i"; } >"$dir/$i/rabbitmq.conf"
    echo '[rabbitmq_stream].' >"$dir/$i/enabled_plugins"
    give_to_plain_user "$dir/$i"
    # "Under systemd" the script becomes the server instead of watching over it, so that pid is the server's.
    launch "$i" "${plain_user[@]}" env \
      HOME="$dir/$i" \
      RUNNING_UNDER_SYSTEMD=1 \
      RABBITMQ_CONF_ENV_FILE=/dev/null \
      RABBITMQ_NODENAME="$(name "$i")" \
      RABBITMQ_USE_LONGNAME=true \
      RABBITMQ_DIST_PORT=$((25671 + 4 * ${net##*.} + i)) \
      RABBITMQ_CONFIG_FILE="$dir/$i/rabbitmq" \
      RABBITMQ_ENABLED_PLUGINS_FILE="$dir/$i/enabled_plugins" \
      RABBITMQ_MNESIA_BASE="$dir/$i/data" \
      RABBITMQ_LOG_BASE="$dir/$i" \
      RABBITMQ_LOGS=- \
      RABBITMQ_PID_FILE="$dir/$i/erlang.pid" \
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-setcookie klatch -kernel inet_dist_use_interface {$(ip "$i" | tr . ,)} +S 2:2 +sbwt none" \
      /usr/lib/rabbitmq/bin/rabbitmq-server
    # At first the others join node 1; later all must start together, as any may need what another knows.
    [[ -z $forming || $i != 1 ]] || ready 1 listens "$(ip 1)" 5672
  done
  for i in $(seq "$1"); do ready "$i" listens "$(ip "$i")" 5672; done
}

main "$@"
