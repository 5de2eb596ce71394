#!/usr/bin/env bash
# Apache Kafka in KRaft mode: each node is broker (port 9092) and controller (9093). KNOWN_AS is the address that clients of a single node
# are told to go to, if not there.
. "$(dirname "$0")/lib.sh"

fetch() {
  jars kafka
  warm kafka
}

jvm=(java -Xmx${HEAP:-256m} -XX:+UseSerialGC "${jit[@]}" -cp "$cache/kafka/*"
  -Dorg.slf4j.simpleLogger.defaultLogLevel=warn)

config() { # I N
  local copies=$(($2 < 3 ? $2 : 3)) voters
  voters=$(for i in $(seq "$2"); do echo "$i@$(ip "$i"):9093"; done | paste -sd,)
  cat <<END
process.roles=broker,controller
node.id=$1
controller.quorum.voters=$voters
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://$(ip "$1"):9092,CONTROLLER://$(ip "$1"):9093
advertised.listeners=PLAINTEXT://${KNOWN_AS:-$(ip "$1")}:9092
log.dirs=$dir/$1/data
num.partitions=3
default.replication.factor=$copies
min.insync.replicas=$(((copies + 2) / 2))
offsets.topic.replication.factor=$copies
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=$copies
transaction.state.log.min.isr=$(((copies + 2) / 2))
transaction.state.log.num.partitions=3
share.coordinator.state.topic.replication.factor=$copies
share.coordinator.state.topic.min.isr=$(((copies + 2) / 2))
share.coordinator.state.topic.num.partitions=3
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=$(($2 < 3 ? 6000 : 3000))
broker.heartbeat.interval.ms=500
controller.quorum.fetch.timeout.ms=1000
controller.quorum.election.timeout.ms=500
controller.quorum.election.backoff.max.ms=500
END
}

start() {
  local i
  for i in $(seq "$1"); do
    mkdir -p "$dir/$i"
    { config "$i" "$1" && settings "$i"; } >"$dir/$i/config"
    [[ -e $dir/$i/data/meta.properties ]] || "${jvm[@]}" "${classes[@]}" kafka.tools.StorageTool format -t a2xhdGNoLWthZmthLTAwMQ -c "$dir/$i/config" >"$dir/$i/format.log" 2>&1
  done
  for i in $(seq "$1"); do launch "$i" "${jvm[@]}" "${classes[@]}" kafka.Kafka config; done
  for i in $(seq "$1"); do ready "$i" listens "$(ip "$i")" 9092; done
}

main "$@"
