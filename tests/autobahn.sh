#!/usr/bin/env bash
# The Autobahn testsuite, whose runner has to be beside this repository (../shared/autobahn): `serve`, and the core's example
# `mio`, against its client, and the client of the tests against its server. Nothing may be failed, not strict or not implemented.
#
#   autobahn.sh quick   in a minute: on each runtime what is neither large nor slow, and a little of compression
#   autobahn.sh all     in half an hour: every case, compression included, server and client, on tokio
set -euo pipefail
cd "$(dirname "$0")/.."
autobahn=$(realpath -m ../shared/autobahn)
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
work=$target/autobahn
plain="1.* 2.* 3.* 4.* 5.* 6.* 7.* 9.1.1 9.3.9 10.*"
compressed="12.1.1 12.1.3 12.1.4 12.1.5 12.1.11 13.1.1 13.1.3 13.1.4 13.1.5 13.1.11"
export FAIL_ON=FAILED,NON-STRICT,UNIMPLEMENTED WSTEST=$work/venv

[[ -x $autobahn/run-server.sh ]] || { echo "SKIPPED: there is no ../shared/autobahn"; exit 0; }

server() { # NAME CASES PROGRAM ARGUMENTS...: a program that prints its address first
  local address='' server verdict=0 name=$1 cases=$2
  shift 2
  rm -f "$work/$name.address"
  "$@" >"$work/$name.address" 2>"$work/$name.log" &
  server=$!
  for _ in {1..100}; do
    address=$(head -n 1 "$work/$name.address" 2>/dev/null) || true
    [[ -z $address ]] || break
    sleep 0.1
  done
  AGENT=$name CASES=$cases "$autobahn/run-server.sh" "ws://$address/ws" "$work/$name" || verdict=$?
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  ((verdict == 0)) || { echo "Autobahn, our server ($name): exit $verdict"; return 1; }
}

client() { # RUNTIME CASES
  local port verdict=0
  # The fuzzingserver cannot choose a port itself.
  port=$("$WSTEST/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  # The client gets the URL from its environment.
  # shellcheck disable=SC2016
  AGENT=$1 CASES=$2 "$autobahn/run-client.sh" "127.0.0.1:$port" "$work/client-$1" -- \
    sh -c 'exec "$0" "$1" "$WSTEST_URL"' "$build/autobahn-client" "$1" || verdict=$?
  ((verdict == 0)) || { echo "Autobahn, our client on $1: exit $verdict"; return 1; }
}

serve() { # NAME CASES OPTIONS...
  server "$1" "$2" "$build/serve" --listen 127.0.0.1:0 --origin any "${@:3}"
}

mkdir -p "$work"
"$autobahn/install.sh" "$WSTEST"
case ${1:-} in
  quick)
    export LIMIT=180
    build=$target/debug/examples
    cargo build --locked -p endwell --example serve
    cargo build --locked -p endwell-core --example mio
    cargo build --locked -p endwell-tests --example autobahn-client
    for runtime in tokio async-std smol blocking; do
      serve "$runtime" "$plain" --runtime "$runtime"
    done
    server mio "$plain" "$build/mio" 127.0.0.1:0
    serve deflate "$plain $compressed" --deflate
    # They wait most of the time: side by side.
    judging=()
    for runtime in tokio async-std smol blocking; do
      client "$runtime" "$plain $compressed" >"$work/client-$runtime.log" 2>&1 &
      judging+=("$!")
    done
    failed=0
    for judged in "${judging[@]}"; do wait "$judged" || failed=1; done
    cat "$work"/client-*.log
    ((failed == 0))
    ;;
  all)
    export LIMIT=3600
    build=$target/release/examples
    cargo build --locked --release -p endwell --example serve
    cargo build --locked --release -p endwell-tests --example autobahn-client
    serve tokio "*" --deflate
    client tokio "*"
    ;;
  *)
    sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
