#!/usr/bin/env bash
# Server CPU per echoed WebSocket message of one or more builds of `serve`, side by side: for a change, against the build before.
#
#   ws.sh [seconds per measurement, default 2] [rounds, default 3] [NAME=PROGRAM ARGUMENTS...]...
#   ws.sh 2 3 "before=/tmp/serve-before --runtime tokio" "after=target/release/examples/serve --runtime tokio"
#
# Without programs it compares the runtimes of this tree.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-2} rounds=${2:-3}
servers=("${@:3}")
cargo build --quiet --release --locked --bin load
load=${CARGO_TARGET_DIR:-target}/release/load
if ((${#servers[@]} == 0)); then
  cargo build --quiet --release --locked --manifest-path ../../Cargo.toml -p endwell --example serve --all-features
  serve=${CARGO_TARGET_DIR:-../../target}/release/examples/serve
  for runtime in tokio async-std smol blocking; do servers+=("$runtime=$serve --runtime $runtime"); done
fi
work=$(mktemp -d)
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

declare -A pid address
pids=() names=()
for server in "${servers[@]}"; do
  name=${server%%=*}
  names+=("$name")
  : >"$work/$name.out"
  # The server has one core and the load the other.
  # shellcheck disable=SC2086 # The program's arguments are words.
  taskset -c 0 ${server#*=} --listen 127.0.0.1:0 >"$work/$name.out" &
  pid[$name]=$! pids+=($!)
  until address[$name]=$(grep -oE '[0-9.]+:[0-9]+' "$work/$name.out" | head -n 1) && [[ ${address[$name]} ]]; do sleep 0.1; done
done

cpu_us() { awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) * 1000000 / hz }' "/proc/$1/stat"; }

# Connections, messages in flight on each, bytes of each.
loads=("10 1 20" "10 64 20" "10 16 1024" "10 4 16384")
for ((round = 0; round < rounds; round++)); do
  for each in "${loads[@]}"; do
    read -r connections flight bytes <<<"$each"
    for name in "${names[@]}"; do
      before=$(cpu_us "${pid[$name]}")
      read -r echoed _ < <(taskset -c 1 "$load" --connections "$connections" --flight "$flight" --bytes "$bytes" --seconds "$seconds" "${address[$name]}")
      after=$(cpu_us "${pid[$name]}")
      awk -v n="$name" -v load="$each" -v cpu=$((after - before)) -v echoed="$echoed" \
        'BEGIN { printf "%s;%s;%.4f\n", n, load, cpu / echoed }' >>"$work/results"
    done
  done
done

for each in "${loads[@]}"; do
  printf '\n%s (connections, in flight, bytes): CPU us per message, x the first (medians of %d)\n' "$each" "$rounds"
  first=
  for name in "${names[@]}"; do
    median=$(awk -F';' -v n="$name" -v l="$each" '$1 == n && $2 == l {print $3}' "$work/results" | sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}')
    first=${first:-$median}
    awk -v n="$name" -v m="$median" -v f="$first" 'BEGIN { printf "%-12s %10.3f %6.2f\n", n, m, m / f }'
  done
done
