#!/usr/bin/env bash
# Endwell's `serve` beside its peers: requests per second and server CPU per request, one at a time and sixteen in flight.
# Rounds go round the servers, because a machine changes its speed within minutes; only ratios of one run mean anything.
#
#   http.sh [seconds per measurement, default 3] [rounds, default 3] [servers: floor hyper axum tokio async-std smol blocking; default the first five]
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-3} rounds=${2:-3}
servers=(floor hyper axum tokio async-std)
((${#@} < 3)) || servers=("${@:3}")
cargo build --quiet --release --locked
peers=${CARGO_TARGET_DIR:-target}/release
cargo build --quiet --release --locked --manifest-path ../../Cargo.toml -p endwell --example serve --all-features
serve=${CARGO_TARGET_DIR:-../../target}/release/examples/serve
work=$(mktemp -d)
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

declare -A pid address
pids=()
for server in "${servers[@]}"; do
  case $server in
    floor) command=("$peers/epoll-hello") ;;
    hyper | axum) command=("$peers/$server-hello") ;;
    *) command=("$serve" --runtime "$server") ;;
  esac
  # The server has one core and the load the other.
  : >"$work/$server.out"
  taskset -c 0 "${command[@]}" --listen 127.0.0.1:0 >"$work/$server.out" &
  pid[$server]=$! pids+=($!)
  until address[$server]=$(head -n 1 "$work/$server.out") && [[ ${address[$server]} ]]; do sleep 0.1; done
  address[$server]=$(grep -oE '[0-9.]+:[0-9]+' <<<"${address[$server]}")
done

cpu_us() { awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) * 1000000 / hz }' "/proc/$1/stat"; }

measure() { # server, in flight
  local before after script=()
  (($2 == 1)) || script=(-s pipeline.lua)
  before=$(cpu_us "${pid[$1]}")
  taskset -c 1 wrk -t 1 -c 50 -d "${seconds}s" "${script[@]}" "http://${address[$1]}/hello" >"$work/wrk"
  after=$(cpu_us "${pid[$1]}")
  awk -v server="$1" -v flight="$2" -v cpu=$((after - before)) '
    / requests in / { requests = $1 }
    /^Requests\/sec/ { rate = $2 }
    /Socket errors/ { gsub(",", ""); errors += $4 + $6 + $8 + $10 }
    /Non-2xx/ { errors += $NF }
    END { printf "%s %d %.0f %.3f %d\n", server, flight, rate, cpu / requests, errors }' "$work/wrk"
}

for ((round = 0; round < rounds; round++)); do
  for flight in 1 16; do
    for server in "${servers[@]}"; do
      measure "$server" $flight >>"$work/results"
    done
  done
done

for flight in 1 16; do
  printf '\n%d in flight:   requests/s   CPU us/request   x floor   errors   (medians of %d)\n' $flight "$rounds"
  for server in "${servers[@]}"; do
    median() { awk -v s="$server" -v f=$flight '$1 == s && $2 == f {print $'"$1"'}' "$work/results" | sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
    cpu=$(median 4)
    [[ $server != floor ]] || floor=$cpu
    errors=$(awk -v s="$server" -v f=$flight '$1 == s && $2 == f {n += $5} END {print n + 0}' "$work/results")
    awk -v s="$server" -v rate="$(median 3)" -v cpu="$cpu" -v floor="${floor:-0}" -v errors="$errors" \
      'BEGIN { printf "%-12s %12d %16.3f %9s %8d\n", s, rate, cpu, floor ? sprintf("%.2f", cpu / floor) : "-", errors }'
  done
done
