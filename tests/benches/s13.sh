#!/usr/bin/env bash
# S13, side by side: 8 producers of 1,000 messages and a ping every 200 us over one WebSocket, by gorilla/websocket and by
# endwell on each runtime, judged by the same strict client.
#
# Needs Go and gorilla/websocket: on Debian golang-go and golang-github-gorilla-websocket-dev.
#
#   s13.sh [rounds, default 20]
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$work/cache go build -o "$work/gorilla" gorilla/main.go
ENDWELL_ROUNDS=${1:-20} ENDWELL_GORILLA=$work/gorilla cargo test --quiet --release --locked --manifest-path ../../Cargo.toml \
  -p endwell-tests --test many_writers -- --ignored --exact producers::side_by_side --nocapture
