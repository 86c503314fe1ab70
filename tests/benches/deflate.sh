#!/usr/bin/env bash
# permessage-deflate beside its peers, with and without context takeover: bytes on the wire and server CPU for each echoed
# message, of 1 KiB of JSON and of 64 KiB of text, and resident memory for each connection. All compress at level 6, with zlib-rs
# where they are written in Rust. Rounds go round the servers, and only ratios of one run mean anything.
#
# Needs node and npm, which fetches ws.
#
#   deflate.sh [seconds per measurement, default 2] [rounds, default 3] [connections, default 1000] [NAME=PROGRAM ARGUMENTS...]...
#
# Without programs it compares this tree's `serve` on tokio and on smol with yawc, soketto and npm's ws. A program takes
# --no-context-takeover, and prints where it listens. soketto knows no context takeover.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-2} rounds=${2:-3} connections=${3:-1000}
servers=("${@:4}")
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
cargo build --quiet --release --locked --manifest-path deflate/Cargo.toml --target-dir "$target"
load=$target/release/deflate-load
if ((${#servers[@]} == 0)); then
  cargo build --quiet --release --locked --manifest-path ../../Cargo.toml -p endwell --example serve --all-features
  serve=$(realpath "${CARGO_TARGET_DIR:-../../target}/release/examples/serve")
  npm install --silent --no-save --prefix "$target/npm" ws@8 >/dev/null
  for runtime in tokio smol; do
    servers+=("$runtime=$serve --listen 127.0.0.1:0 --runtime $runtime --deflate")
  done
  servers+=("yawc=$target/release/yawc-echo" "soketto=$target/release/soketto-echo" "ws=node $PWD/deflate/ws-echo.js")
  export NODE_PATH=$target/npm/node_modules
fi
ulimit -n "$(ulimit -Hn)"
work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

start() { # program and arguments: sets pid and address
  : >"$work/out"
  # The server has one core and the load the other.
  taskset -c 0 "$@" >"$work/out" &
  pid=$! pids+=("$pid")
  until address=$(grep -oE '[0-9.]+:[0-9]+' "$work/out" | head -n 1) && [[ $address ]]; do sleep 0.1; done
}
stop() {
  kill "$pid"
  wait "$pid" 2>/dev/null || true
}

for ((round = 0; round < rounds; round++)); do
  for takeover in "" --no-context-takeover; do
    for server in "${servers[@]}"; do
      name=${server%%=*}
      [[ $name != soketto || $takeover ]] || continue
      # shellcheck disable=SC2206 # The program's arguments are words.
      program=(${server#*=} $takeover)
      start "${program[@]}"
      for payload in json text; do
        # shellcheck disable=SC2086 # Nothing is no argument.
        measured=$(taskset -c 1 "$load" cpu --pid "$pid" --payload $payload $takeover --seconds "$seconds" "$address")
        read -r messages received sent cpu <<<"$measured"
        echo "$payload;$takeover;$name;$(awk "BEGIN { print $cpu / $messages, $received / $messages, $sent / $messages }")" >>"$work/results"
      done
      stop
      # A process of its own: what the messages above have left behind is no connection's.
      start "${program[@]}"
      # shellcheck disable=SC2086
      echo "memory;$takeover;$name;$("$load" memory --pid "$pid" $takeover --connections "$connections" "$address")" >>"$work/results"
      stop
    done
  done
done

median() { # what, takeover, name, column
  grep -F "$1;$2;$3;" "$work/results" | cut -d';' -f4 | awk -v column="$4" '{ print $column }' | sort -g |
    awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}
for takeover in "" --no-context-takeover; do
  printf '\n%s context takeover (medians of %d)\n' "$([[ $takeover ]] && echo without || echo with)" "$rounds"
  printf '%-10s %29s %29s %40s\n' "" "1 KiB JSON" "64 KiB text" "bytes per connection: idle, after"
  printf '%-10s %10s %7s %10s %10s %7s %10s %12s %13s %13s\n' \
    server "CPU us" x "wire bytes" "CPU us" x "wire bytes" "1 KiB" "64 KiB" "in a message"
  json=() text=()
  for server in "${servers[@]}"; do
    name=${server%%=*}
    grep -qF "json;$takeover;$name;" "$work/results" || continue
    json+=("$(median json "$takeover" "$name" 1)") text+=("$(median text "$takeover" "$name" 1)")
    awk -v name="$name" -v json="${json[-1]}" -v json0="${json[0]}" -v text="${text[-1]}" -v text0="${text[0]}" \
      -v jsonwire="$(median json "$takeover" "$name" 2)" -v textwire="$(median text "$takeover" "$name" 2)" \
      -v idle="$(median memory "$takeover" "$name" 1)" -v full="$(median memory "$takeover" "$name" 2)" \
      -v active="$(median memory "$takeover" "$name" 3)" \
      'BEGIN { printf "%-10s %10.1f %7.2f %10.0f %10.1f %7.2f %10.0f %12d %13d %13d\n", name, json, json / json0, jsonwire, text, text / text0, textwire, idle, full, active }'
  done
done
