#!/usr/bin/env bash
# Apache Cassandra: CQL on port 9042, gossip on 7000. All nodes are seeds, so they start together. KNOWN_AS is the address that clients
# of a single node are told to go to, if not there.
. "$(dirname "$0")/lib.sh"

fetch() {
  jars cassandra
  warm cassandra
}

# Each of the tests has a keyspace of its own, and a table costs it about 1 MB of its heap. Changes of tables are safe in the commit
# log: flushing each at once as well costs a second a keyspace. A node that missed such a change asks for it after seconds, not after
# Cassandra's minute, so that a busy machine does not cost a test that. One that joins is thrown out for a silence of half the quarantine
# delay, which would follow the ring delay and be a second; Cassandra's own is 30 s. PAXOS=v1 is what Cassandra still begins with; it
# recommends `v2`, and to new clusters memtables as tries (conf/cassandra_latest.yaml).

# What Cassandra reaches into the JDK for.
access=()
for package in java.base/{java.io,java.lang,java.lang.module,java.nio,java.util,java.util.concurrent} \
  java.base/{java.util.concurrent.atomic,sun.nio.ch,jdk.internal.{loader,math,misc,module,ref,reflect,util.jar}} \
  java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.{registry,server,transport.tcp} \
  jdk.management/com.sun.management.internal; do
  access+=(--add-opens "$package=ALL-UNNAMED" --add-exports "$package=ALL-UNNAMED")
done

config() { # I N
  cat <<END
cluster_name: klatch
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
num_tokens: 1
initial_token: $(((-1 << 63) + 1 + ($1 - 1) * ((1 << 62) / $2 * 4)))
auto_bootstrap: false
endpoint_snitch: SimpleSnitch
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "$(for i in $(seq "$2"); do ip "$i"; done | paste -sd,)"
listen_address: $(ip "$1")
rpc_address: $(ip "$1")
broadcast_rpc_address: ${KNOWN_AS:-$(ip "$1")}
commitlog_sync: batch
commitlog_segment_size: 8MiB
commitlog_total_space: 64MiB
memtable_heap_space: 64MiB
memtable_offheap_space: 64MiB
file_cache_size: 32MiB
networking_cache_size: 16MiB
key_cache_size: 8MiB
concurrent_reads: 8
concurrent_counter_writes: 8
concurrent_compactors: 1
disk_access_mode: standard
paxos_variant: ${PAXOS:-v2}
memtable:
  configurations:
    default:
      class_name: TrieMemtable
END
  # Where one node is all there is, nobody is served sooner for giving up on it, and a busy machine is no outage. The recovery of a cluster
  # counts on Cassandra's own timeouts.
  (($2 > 1)) || cat <<END
read_request_timeout: 8s
write_request_timeout: 8s
cas_contention_timeout: 8s
END
}

# How many others node I sees up: what it said last of each counts.
sees() {
  awk 'match($0, /[0-9.]+:7000 (is now|has been silent)/) { up[substr($0, RSTART, index(substr($0, RSTART), ":"))] = /is now UP/ }
    END { for (node in up) n += up[node]; print n + 0 }' "$dir/$1/log"
}

# Node I of N serves CQL, which it says a moment before it does, and sees the others up.
joined() {
  grep -q 'Starting listening for CQL' "$dir/$1/log" && listens "$(ip "$1")" 9042 && (($(sees "$1") >= $2 - 1))
}

start() {
  local i
  for i in $(seq "$1"); do
    mkdir -p "$dir/$i"
    { config "$i" "$1" && settings "$i"; } >"$dir/$i/cassandra.yaml"
    cat >"$dir/$i/logback.xml" <<'END'
<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%d %-5level %logger{0} %msg%n</pattern></encoder></appender>
  <root level="${LEVEL:-INFO}"><appender-ref ref="OUT"/></root>
</configuration>
END
    launch "$i" java -Xmx${HEAP:-1g} -Xss512k -XX:+UseSerialGC "${jit[@]}" \
      -XX:+UnlockDiagnosticVMOptions -XX:+AllowArchivingWithJavaAgent "${classes[@]}" \
      "-javaagent:$(ls "$cache"/cassandra/jamm-*.jar)" \
      "${access[@]}" \
      -Djdk.attach.allowAttachSelf=true \
      -Djava.security.manager=allow \
      -Dlogback.configurationFile="$dir/$i/logback.xml" \
      -Dcassandra.config="file://$dir/$i/cassandra.yaml" \
      -Dcassandra.storagedir="$dir/$i" \
      -Dcassandra-foreground=yes \
      -Dcassandra.flush_local_schema_changes=false \
      -Dcassandra.skip_wait_for_gossip_to_settle=0 \
      -Dcassandra.ring_delay_ms=1000 \
      -Dcassandra.gossip_quarantine_delay_ms=60000 \
      -Dcassandra.migration_delay_ms=3000 \
      -Dcassandra.schema_pull_interval_ms=3000 \
      -Dcassandra.shutdown_announce_in_ms=200 \
      -cp "$cache/cassandra/*" org.apache.cassandra.service.CassandraDaemon
  done
  for i in $(seq "$1"); do ready "$i" joined "$i" "$1"; done
}

main "$@"
