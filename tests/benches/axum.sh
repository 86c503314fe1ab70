#!/usr/bin/env bash
# One application of axum, with layers of tower-http, served by axum (hyper) and by endwell: requests per second and server CPU
# per request. Needs wrk. Rounds go round the servers; only ratios of one run mean anything.
#
#   axum.sh [seconds per measurement, default 3] [rounds, default 3]
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-3} rounds=${2:-3}
servers=(axum endwell) paths=(/ /notes "/search?a=1&b=2" /bytes)
cargo build --quiet --release --locked --manifest-path axum/Cargo.toml
program=${CARGO_TARGET_DIR:-axum/target}/release/endwell-bench-axum
work=$(mktemp -d)
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

declare -A pid address
pids=()
for server in "${servers[@]}"; do
  # The server has one core and the load the other.
  : >"$work/$server.out"
  taskset -c 0 "$program" --server "$server" >"$work/$server.out" &
  pid[$server]=$! pids+=($!)
  until address[$server]=$(head -n 1 "$work/$server.out") && [[ ${address[$server]} ]]; do sleep 0.1; done
done

cpu_us() { awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) * 1000000 / hz }' "/proc/$1/stat"; }

for ((round = 0; round < rounds; round++)); do
  for path in "${paths[@]}"; do
    for server in "${servers[@]}"; do
      before=$(cpu_us "${pid[$server]}")
      taskset -c 1 wrk -t 1 -c 50 -d "${seconds}s" "http://${address[$server]}$path" >"$work/wrk"
      after=$(cpu_us "${pid[$server]}")
      awk -v server="$server" -v path="$path" -v cpu=$((after - before)) '
        / requests in / { requests = $1 }
        /^Requests\/sec/ { rate = $2 }
        /Socket errors/ { gsub(",", ""); errors += $4 + $6 + $8 + $10 }
        /Non-2xx/ { errors += $NF }
        END { printf "%s %s %.0f %.3f %d\n", server, path, rate, cpu / requests, errors }' "$work/wrk" >>"$work/results"
    done
  done
done

printf '%-20s %-8s %12s %16s %8s   (medians of %d)\n' path server requests/s 'CPU us/request' errors "$rounds"
for path in "${paths[@]}"; do
  for server in "${servers[@]}"; do
    median() { awk -v s="$server" -v p="$path" '$1 == s && $2 == p {print $'"$1"'}' "$work/results" | sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
    errors=$(awk -v s="$server" -v p="$path" '$1 == s && $2 == p {n += $5} END {print n + 0}' "$work/results")
    printf '%-20s %-8s %12s %16s %8s\n' "$path" "$server" "$(median 3)" "$(median 4)" "$errors"
  done
done
