#!/usr/bin/env bash
# A Klatch cluster on this machine: every server a process of its own, two Klatch processes of each kind, HAProxy or nginx in front.
#
#   cluster.sh start [STACK]   kafka-cassandra-postgresql (unless told), kafka-postgresql or rabbitmq-postgresql; again: starts what does not run
#   cluster.sh status          what runs
#   cluster.sh logs            what Klatch says, as it says it
#   cluster.sh stop            stops all; the data stay, `rm -r` the folder to begin anew
#
# CLUSTER is the folder of everything (by default `cluster`), KLATCH the program, LISTEN where people come in, BALANCER haproxy (unless told)
# or nginx. THREE names servers that run as three nodes each, with three copies (of kafka, rabbitmq and cassandra: `THREE="kafka cassandra"`).
# VIEWS is the database of the views, if it is another; processes that run keep theirs. With LINKS=100, for tests, the process at address I finds every server at address 100 + I, and the balancer finds it there:
# whoever set it has put links there.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
action=${1-} stack=${2-}
export NET=${NET:-127.0.200}
. "$here/lib.sh"

root=${CLUSTER:-cluster}
mkdir -p "$root"
root=$(cd "$root" && pwd)
klatch=${KLATCH:-$here/../../target/release/klatch}
listen=${LISTEN:-127.0.0.1:8470}
balancer=${BALANCER:-$(cat "$root/balancer" 2>/dev/null || echo haproxy)}
three=${THREE-$(cat "$root/three" 2>/dev/null || true)}
dir=$root/klatch
# Its name, its roles, and the last number of its address, where it listens on 8470 for people, 9470 for health and 7470 for others.
processes='front1 api,gateway 11
front2 api,gateway 12
processor1 processor 13
processor2 processor 14
worker1 worker 15
worker2 worker 16'

servers() {
  case $stack in
    kafka-cassandra-postgresql) echo postgresql redis kafka cassandra ;;
    kafka-postgresql) echo postgresql redis kafka ;;
    rabbitmq-postgresql) echo postgresql redis rabbitmq ;;
    *) echo "there are the stacks kafka-cassandra-postgresql, kafka-postgresql and rabbitmq-postgresql" >&2 && exit 2 ;;
  esac
}

# How many nodes a server has.
nodes() { [[ " $three " == *" $1 "* ]] && echo 3 || echo 1; }
# All of them, where the first is at this address.
hosts() { [[ $(nodes "$1") == 1 ]] && echo "$2" || echo "$(ip 1),$(ip 2),$(ip 3)"; }

config() { # where the servers are
  local sql="postgres://postgres@$1"
  echo "[engines]"
  case $stack in
    kafka-*) echo "queue = \"kafka://$(hosts kafka "$1")\"" ;;
    *) echo "queue = \"amqp://guest:guest@$(hosts rabbitmq "$1")\"" ;;
  esac
  case $stack in
    *-cassandra-*) echo "event_log = \"cassandra://$(hosts cassandra "$1")/klatch?replication=$(nodes cassandra)\"" ;;
    *) echo "event_log = \"$sql/klatch\"" ;;
  esac
  cat <<END
views = "$sql/${VIEWS:-klatch}"
directory = "$sql/klatch"
keys = "$sql/klatch_keys"
live = "redis://$1"
presence = "redis://$1"

[limits]
partitions = 12

# Balancers reach the nodes from this address; HAProxy says whom it speaks for by the PROXY protocol, nginx in a header.
[http]
public_url = "http://$listen"
trusted_proxies = ["127.0.0.1"]
proxy_protocol = $([[ $balancer == haproxy ]] && echo true || echo false)
END
}

database() { # as PostgreSQL's owner; there it may be already
  local psql=(psql -qAt -h "$(ip 1)" -U postgres)
  [[ $("${psql[@]}" -c "SELECT 1 FROM pg_database WHERE datname = '$1'") ]] || "${psql[@]}" -c "CREATE DATABASE $1"
}

# Servers listen before they can answer.
prepare() {
  local said end=$((SECONDS + patience))
  until said=$("$klatch" migrate --config "$dir/klatch.toml" --data "$dir/data" 2>&1); do
    echo "$said (tried again for ${patience} s: the servers may have only just begun)" >&2
    ((SECONDS < end)) || return 1
    sleep 0.5
  done
  echo "$said"
}

# A process of Klatch has begun its work.
works() (
  exec 3<>"/dev/tcp/$1/9470"
  printf 'GET /readyz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$1" >&3
  read -r -t 5 line <&3 && [[ $line == *' 200 '* ]]
)

start() {
  [[ -x $klatch ]] || { echo "there is no program $klatch: run \`cargo build --release --package klatch-node\`" >&2 && exit 1; }
  : "${stack:=$(cat "$root/stack" 2>/dev/null || echo kafka-cassandra-postgresql)}"
  [[ ! -e $root/stack || $(<"$root/stack") == "$stack" ]] || { echo "$root holds a cluster on $(<"$root/stack"); give CLUSTER another folder" >&2 && exit 1; }
  [[ $balancer == haproxy || $balancer == nginx ]] || { echo "there are the balancers haproxy and nginx" >&2 && exit 2; }
  [[ ! -e $root/balancer || $(<"$root/balancer") == "$balancer" ]] || { echo "$root holds a cluster behind $(<"$root/balancer"); give CLUSTER another folder" >&2 && exit 1; }
  [[ ! -e $root/three || $(<"$root/three") == "$three" ]] || { echo "$root holds a cluster with THREE=\"$(<"$root/three")\"; give CLUSTER another folder" >&2 && exit 1; }
  local server name roles i starting=()
  for server in $(servers); do
    "$here/$server.sh" start "$root/$server" "$(nodes "$server")" &
    starting+=($!)
  done
  for server in "${starting[@]}"; do wait "$server"; done
  echo "$three" >"$root/three"
  echo "$stack" >"$root/stack"
  echo "$balancer" >"$root/balancer"
  database klatch
  database klatch_keys
  database "${VIEWS:-klatch}"
  mkdir -p "$dir/data"
  config "$(ip 1)" >"$dir/klatch.toml"
  prepare
  while read -r name roles i; do
    mkdir -p "$dir/$name"
    config "$(ip $((${LINKS:-1 - i} + i)))" >"$dir/$name/klatch.toml"
    launch "$name" env "KLATCH_HTTP__PEER_LISTEN=$(ip "$i"):7470" "KLATCH_HTTP__PEER_ADDRESS=$(ip $((${LINKS:-0} + i))):7470" \
      "$klatch" run --config "$dir/$name/klatch.toml" --data "$dir/data" --roles "$roles" --listen "$(ip "$i"):8470" --admin-listen "$(ip "$i"):9470"
  done <<<"$processes"
  while read -r name roles i; do ready "$name" works "$(ip "$i")"; done <<<"$processes"
  KLATCH_LISTEN=$listen KLATCH_FRONT1=$(ip $((${LINKS:-0} + 11))) KLATCH_FRONT2=$(ip $((${LINKS:-0} + 12))) "$here/$balancer.sh" start "$root/$balancer"
  echo "The cluster ($stack, $balancer) is ready: http://$listen"
}

# Every folder with a pid in it is a process.
pids() { (cd "$root" && find . -name pid | sed 's#^\./##; s#/pid$##' | sort); }

status() {
  local process
  for process in $(pids); do
    dir=$root/$(dirname "$process")
    if alive "$(basename "$process")"; then
      echo "runs     $process (pid $(<"$root/$process/pid"))"
    else
      echo "is down  $process"
    fi
  done
}

case $action in
  start) start ;;
  status) status ;;
  logs) exec tail -F "$dir"/*/log ;;
  stop)
    "$here/$balancer.sh" stop "$root/$balancer"
    stop
    for server in postgresql redis kafka rabbitmq cassandra; do "$here/$server.sh" stop "$root/$server"; done
    ;;
  *) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
