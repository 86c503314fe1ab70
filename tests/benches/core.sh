#!/usr/bin/env bash
# Instructions per request of the core alone, by callgrind. Arguments: where to keep the profiles (for callgrind_annotate).
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-$(mktemp -d)}
count=1600
cargo build --quiet --release --locked --bin core-hello
target=${CARGO_TARGET_DIR:-target}
for request in small browser pipelined; do
  total=$(valgrind --tool=callgrind --callgrind-out-file="$out/$request" --toggle-collect='core_hello::exchanges' \
    "$target/release/core-hello" "$request" $count 2>&1 | awk '/Collected/ {print $NF}')
  echo "$request: $((total / count)) instructions"
done
