#!/usr/bin/env bash
# What others wrote, in front of `serve`, behind `get` and `chat`, and as clients of `serve`. What is missing is installed
# (Debian's packages, PyPI, npm); what cannot be is skipped, and said.
#
#   peers.sh quick   in a minute and a half: HAProxy, nginx and Apache in front, nginx and Apache behind, curl and wget
#   peers.sh all     also Caddy, Node, Go, httpx, aiohttp and requests, and every upload 200 times
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=.ci/install.sh
source .ci/install.sh
case ${1:-} in
  quick) uploads=25 ;;
  all) uploads=200 ;;
  *)
    sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
export PATH="$PATH:/usr/sbin" no_proxy='*'
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
build=$target/debug/examples
kept=$target/peers
here=$PWD/tests/peers
# Debian's Apache has to drop root, and reads its files as another user.
work=$(mktemp -d) && chmod 755 "$work"
running=() failed=() skipped=()
stop() {
  ((${#running[@]} == 0)) || kill "${running[@]}" 2>/dev/null || true
  wait
  rm -rf "$work"
}
trap stop EXIT

# check NAME COMMAND...: it must end well, and in time.
check() {
  local name=$1 started=$SECONDS
  shift
  if timeout "${LIMIT:-60}" "$@" >"$work/log" 2>&1; then
    printf 'PASS    %s (%d s)\n' "$name" $((SECONDS - started))
  else
    printf 'FAIL    %s (exit %d)\n' "$name" $?
    tail -n 5 "$work/log" | cut -c 1-300 | sed 's/^/        /'
    failed+=("$name")
  fi
}
skip() { printf 'SKIPPED %s: %s\n' "$1" "$2"; skipped+=("$1"); }

# start NAME COMMAND...: runs it beside, until the end.
start() {
  local name=$1
  shift
  "$@" >"$work/$name.out" 2>"$work/$name.err" &
  running+=("$!")
}
# Most servers cannot choose a port themselves.
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# Whoever prints its address as its first line.
address_of() {
  local address=
  for _ in {1..200}; do
    address=$(head -n 1 "$work/$1.out" 2>/dev/null) || true
    [[ -z $address ]] || break
    sleep 0.05
  done
  echo "$address"
}
# Waits until something listens there. What does not come is a failure.
listens() { # NAME PORT
  for _ in {1..200}; do
    ! (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null || return 0
    sleep 0.05
  done
  printf 'FAIL    %s does not listen\n' "$1"
  tail -n 5 "$work/$1.out" "$work/$1.err"
  failed+=("$1")
  return 1
}

need python3 python3
need curl curl
cargo build --locked -p endwell --example serve --example get --example chat
head -c 3000000 /dev/urandom >"$work/large"
printf 'small' >"$work/small"
mkdir -p "$work/files" "$kept"
cp "$work/large" "$work/small" "$work/files"
chmod -R a+rX "$work/files"
export work build here uploads
start serve "$build/serve" --listen 127.0.0.1:0 --deflate
serve=$(address_of serve)

# What the rows run. Each in a shell of its own.
curl_() { curl -sS --max-time 20 "$@"; }
echoes() { # ADDRESS FILE CURL'S ARGUMENTS...
  local out
  out=$(mktemp -p "$work")
  curl_ -o "$out" "${@:3}" "http://$1/echo" && cmp "$2" "$out"
  rm "$out"
}
plain() {
  [[ $(curl_ "http://$1/hello") == hello ]]
  [[ $(curl_ -g "http://$1/hello?a=[b]|c&d=50%") == hello ]]
  [[ $(curl_ -I -o /dev/null -w '%{http_code}' "http://$1/hello") == 200 ]]
  [[ $(curl_ "http://$1/") == *'</html>'* ]]
}
errors() {
  [[ $(curl_ -o /dev/null -w '%{http_code}' "http://$1/none") == 404 ]]
  [[ $(curl_ -o /dev/null -w '%{http_code}' -d unread "http://$1/hello") == 405 ]]
  [[ $(curl_ -o /dev/null -w '%{http_code}' -H 'Transfer-Encoding: chunked' -d unread "http://$1/hello") == 405 ]]
  # An answer while the body is on its way: 405, and not a broken connection.
  [[ $(curl_ -o /dev/null -w '%{http_code}' -H Expect: --data-binary "@$work/large" "http://$1/hello") == 405 ]]
}
kept_alive() {
  [[ $(curl_ -w '%{num_connects}' -o /dev/null -o /dev/null -o /dev/null "http://$1/hello" "http://$1/none" "http://$1/hello") == 100 ]]
  # A small body that the handler does not read.
  [[ $(curl_ -w '%{num_connects}' -o /dev/null -o /dev/null -d unread "http://$1/hello" "http://$1/hello") == 10 ]]
}
small_uploads() {
  echoes "$1" "$work/small" --data-binary "@$work/small"
  echoes "$1" "$work/small" -H 'Expect: 100-continue' --data-binary "@$work/small"
  echoes "$1" "$work/small" -H 'Transfer-Encoding: chunked' --data-binary "@$work/small"
  echoes "$1" /dev/null -d ''
}
large_uploads() {
  echoes "$1" "$work/large" -H Expect: --data-binary "@$work/large"
  echoes "$1" "$work/large" -H Expect: -H 'Transfer-Encoding: chunked' --data-binary "@$work/large"
  echoes "$1" "$work/large" -X POST -T - <"$work/large"
}
# Each whole: a proxy that loses a response ends with an empty one, or with none.
expecting_uploads() {
  local whole=0
  for ((i = 0; i < uploads; i++)); do
    ! echoes "$1" "$work/large" -H 'Expect: 100-continue' "${@:2}" --data-binary "@$work/large" || ((whole += 1))
  done
  echo "$whole of $uploads whole"
  ((whole == uploads))
}
slow_reader() { echoes "$1" "$work/large" --limit-rate 600k -H Expect: --data-binary "@$work/large"; }
at_once() {
  local asking=()
  for i in {1..30}; do
    [[ $(curl_ -d "$i" "http://$1/echo") == "$i" ]] &
    asking+=("$!")
  done
  for asked in "${asking[@]}"; do wait "$asked"; done
}
web_socket() { python3 "$here/websocket.py" "$1"; }
export -f curl_ echoes plain errors kept_alive small_uploads large_uploads expecting_uploads slow_reader at_once web_socket

in_front() { # NAME ADDRESS
  local address=$2 name=$1
  for case in plain errors kept_alive small_uploads large_uploads slow_reader at_once web_socket; do
    check "$name: $case" bash -euo pipefail -c "$case $address"
  done
  LIMIT=400 check "$name: expecting_uploads, $uploads" bash -euo pipefail -c "expecting_uploads $address"
  LIMIT=400 check "$name: expecting_uploads in chunks, $uploads" \
    bash -euo pipefail -c "expecting_uploads $address -H 'Transfer-Encoding: chunked'"
}

# Behind `get`: a file server, whose root has `small` and `large`.
files() {
  [[ $("$build/get" -s "http://$1/small") == small ]]
  "$build/get" -s "http://$1/large" | cmp - "$work/large"
  # One after the other, over one connection if the server lets it.
  [[ $("$build/get" -s "http://$1/small" "http://$1/small" "http://$1/small") == smallsmallsmall ]]
  [[ $("$build/get" -s -I "http://$1/large") == *[Cc]ontent-[Ll]ength:' 3000000'* ]]
  local status=0
  "$build/get" -s -f "http://$1/missing" || status=$?
  ((status == 22))
  # What is there already.
  local modified
  modified=$("$build/get" -s -I "http://$1/small" | sed -n 's/^last-modified: //Ip' | tr -d '\r')
  [[ $("$build/get" -s -i -H "if-modified-since: $modified" "http://$1/small") == HTTP/1.?' 304'* ]]
}
refused_upload() {
  # An answer, whatever it is, and no failure: none of them keeps files.
  [[ $("$build/get" -s -i --data-binary "@$work/large" "http://$1/small") == HTTP/1.?' '[245]* ]]
}
export -f files refused_upload
behind() { # NAME ADDRESS
  check "$1 behind get: files" bash -euo pipefail -c "files $2"
  check "$1 behind get: refused_upload" bash -euo pipefail -c "refused_upload $2"
}

echo "=== clients of serve"
in_front "curl alone" "$serve"
wgets() {
  [[ $(wget -q -O - "http://$1/hello") == hello ]]
  wget -q -O - --post-file "$work/large" "http://$1/echo" | cmp - "$work/large"
  ! wget -q -O - "http://$1/none"
}
export -f wgets
if have wget wget; then check "wget" bash -euo pipefail -c "wgets $serve"; else skip wget "it cannot be installed"; fi

echo "=== HAProxy"
if have haproxy haproxy; then
  at=$(port)
  cat >"$work/haproxy.cfg" <<C
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout tunnel 30s
listen peers
  bind 127.0.0.1:$at
  server serve $serve
C
  haproxy -v | sed -n 1p
  start haproxy haproxy -f "$work/haproxy.cfg" -db
  ! listens haproxy "$at" || in_front HAProxy "127.0.0.1:$at"
else
  skip HAProxy "it cannot be installed"
fi

echo "=== nginx"
if have nginx nginx; then
  at=$(port) behind=$(port)
  mkdir -p "$work/nginx"
  # Nothing is buffered, so that the client's pace and the server's meet.
  cat >"$work/nginx.conf" <<C
pid $work/nginx/pid;
error_log stderr;
user root;
daemon off;
events {}
http {
  access_log off;
  client_max_body_size 0;
  client_body_temp_path $work/nginx/body; proxy_temp_path $work/nginx/proxy; fastcgi_temp_path $work/nginx/f;
  uwsgi_temp_path $work/nginx/u; scgi_temp_path $work/nginx/s;
  map \$http_upgrade \$connection_upgrade { default upgrade; '' ''; }
  upstream serve { server $serve; keepalive 8; }
  server {
    listen 127.0.0.1:$at;
    location / {
      proxy_pass http://serve;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_set_header Host \$http_host;
      proxy_set_header Upgrade \$http_upgrade;
      proxy_set_header Connection \$connection_upgrade;
    }
  }
  server { listen 127.0.0.1:$behind; root $work/files; }
}
C
  nginx -v 2>&1
  start nginx nginx -p "$work/nginx" -c "$work/nginx.conf"
  ! listens nginx "$at" || in_front nginx "127.0.0.1:$at"
  ! listens nginx "$behind" || behind nginx "127.0.0.1:$behind"
else
  skip nginx "it cannot be installed"
fi

echo "=== Apache"
if have apache2 apache2-bin; then
  at=$(port) behind=$(port)
  mkdir -p "$work/apache"
  {
    for module in mpm_event authz_core proxy proxy_http proxy_wstunnel; do
      echo "LoadModule ${module}_module /usr/lib/apache2/modules/mod_$module.so"
    done
    cat <<C
ServerName localhost
ServerRoot $work/apache
PidFile $work/apache/pid
DefaultRuntimeDir $work/apache
ErrorLog /dev/stderr
User www-data
Group www-data
Listen 127.0.0.1:$at
Listen 127.0.0.1:$behind
MaxKeepAliveRequests 0
AllowEncodedSlashes NoDecode
<VirtualHost 127.0.0.1:$at>
  ProxyPreserveHost On
  ProxyPass / http://$serve/ upgrade=websocket
</VirtualHost>
<VirtualHost 127.0.0.1:$behind>
  DocumentRoot $work/files
</VirtualHost>
C
  } >"$work/apache.conf"
  apache2 -v | sed -n 1p
  start apache apache2 -f "$work/apache.conf" -DFOREGROUND
  ! listens apache "$at" || in_front Apache "127.0.0.1:$at"
  ! listens apache "$behind" || behind Apache "127.0.0.1:$behind"
else
  skip Apache "it cannot be installed"
fi

echo "=== Python's http.server"
start python python3 -u -c '
import functools, http.server, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
print("127.0.0.1:%d" % server.server_port)
server.serve_forever()
' "$work/files"
behind "http.server" "$(address_of python)"

if [[ $1 == all ]]; then
  echo "=== Caddy"
  if have caddy caddy; then
    at=$(port) behind=$(port)
    # HTTP/1 servers in Go drop what they have not read of a request when its response begins, and `serve` sends a body back
    # while it arrives: so Caddy has to read it first.
    cat >"$work/Caddyfile" <<C
{
  admin off
  auto_https off
}
http://127.0.0.1:$at {
  reverse_proxy $serve {
    buffer_requests
    flush_interval -1
  }
}
http://127.0.0.1:$behind {
  root * $work/files
  file_server
}
C
    start caddy env HOME="$work" XDG_DATA_HOME="$work" XDG_CONFIG_HOME="$work" \
      caddy run --config "$work/Caddyfile" --adapter caddyfile
    ! listens caddy "$at" || in_front Caddy "127.0.0.1:$at"
    ! listens caddy "$behind" || behind Caddy "127.0.0.1:$behind"
  else
    skip Caddy "it cannot be installed"
  fi

  echo "=== Python's clients"
  if [[ -x $kept/venv/bin/httpx ]] || { python3 -m venv "$kept/venv" && "$kept/venv/bin/pip" install -q 'httpx[cli]' aiohttp requests; }; then
    for name in requests httpx aiohttp; do
      check "$name" "$kept/venv/bin/python" "$here/clients.py" "$name" "$serve"
    done
  else
    skip "httpx, aiohttp and requests" "they cannot be installed"
  fi

  echo "=== Node"
  if have node nodejs && have npm npm && { [[ -d $kept/node_modules/ws ]] || npm install --silent --prefix "$kept" ws; }; then
    node --version
    check "fetch, http and ws of Node" node "$here/client.mjs" "$serve" "$kept"
    start node node "$here/origin.mjs" "$kept"
    node=$(address_of node)
    origin_in_node() {
      "$build/get" -s --data-binary "@$work/large" "http://$1/echo" | cmp - "$work/large"
      [[ $("$build/get" -s "http://$1/hints" "http://$1/none" "http://$1/trailers" "http://$1/last" "http://$1/hints") == 'hintedfirst, secondlasthinted' ]]
      [[ $("$build/get" -s -i "http://$1/trailers") == *'sum: 7'* ]]
      printf 'one\ntwo\n' | "$build/chat" "ws://$1/" | cmp - <(printf 'one\ntwo\n')
    }
    export -f origin_in_node
    check "Node behind get and chat" bash -euo pipefail -c "origin_in_node $node"
  else
    skip "Node" "node, npm or ws cannot be installed"
  fi

  echo "=== Go"
  if have go golang-go; then
    go version
    LIMIT=300 check "Go's compiler" env GOCACHE="$kept/go" GOPATH="$kept/gopath" GO111MODULE=off go build -o "$kept/client" "$here/client.go"
    check "net/http of Go" "$kept/client" "$serve"
  else
    skip Go "it cannot be installed"
  fi
fi

((${#skipped[@]} == 0)) || echo "skipped: $(IFS=,; echo "${skipped[*]}")"
((${#failed[@]} == 0)) || { echo "${#failed[@]} failed"; exit 1; }
