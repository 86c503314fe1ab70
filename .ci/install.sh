# shellcheck shell=bash
# Sourced by scripts that install what they need, on Debian and as root.

export DEBIAN_FRONTEND=noninteractive
updated=
apt_install() {
  command -v apt-get >/dev/null && ((EUID == 0)) || return 1
  if [[ -z $updated ]]; then apt-get -qq update || true; updated=yes; fi
  # A toolchain must not be paid for with another package of the machine. Servers are not started: runlevel 1 has none.
  RUNLEVEL=1 apt-get -qq install -y --no-install-recommends --no-remove --allow-downgrades "$@" >/dev/null
}
# have PROGRAM PACKAGE: installs it if it is missing.
have() { command -v "$1" >/dev/null || apt_install "$2" 2>/dev/null; }
need() { have "$1" "$2" || { echo "$1 is needed: install $2"; exit 1; }; }
