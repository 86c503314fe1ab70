#!/usr/bin/env bash
# Instructions that watching costs, by callgrind: per request, and per message of a WebSocket. Without the features of
# `tracing` and `metrics`, and with them: unused, with a hook, with a subscriber, with a recorder.
set -euo pipefail
cd "$(dirname "$0")/observed"
few=1600
many=17600

# What one more costs: the start of the program is in both counts.
each() {
  local counts=()
  for count in $few $many; do
    counts+=("$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" $count 2>&1 | awk '/Collected/ {print $NF}')")
  done
  echo "$3, $1, $2: $(((counts[1] - counts[0]) / (many - few))) instructions"
}

for features in "" on; do
  cargo build --quiet --release --locked --features "$features"
  program=${CARGO_TARGET_DIR:-target}/release/observed-bench
  for protocol in http ws; do
    for observed in off hook ${features:+trace metrics}; do
      each $protocol $observed "${features:-without the features}"
    done
  done
done
