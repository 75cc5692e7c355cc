#!/usr/bin/env bash
# Runs promtool: the one on PATH, else Debian's, which is unpacked once into .venv/promtool without being installed (its
# package would start a Prometheus here). What is missing is said in one line; nothing is ever skipped.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
dir=$root/.venv/promtool
fail() { echo "promtool.sh: $*" >&2; exit 1; }

fetch() {
  command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
    fail "no promtool on PATH, and no apt-get to fetch it with: put Prometheus' release on PATH"
  mkdir -p "$dir" && cd "$dir"
  local sandbox=(-o APT::Sandbox::User=root)
  if ! apt-get -qq "${sandbox[@]}" download prometheus >apt.log 2>&1 && [[ $(id -u) == 0 ]]; then
    apt-get -qq update >apt.log 2>&1 && apt-get -qq "${sandbox[@]}" download prometheus >>apt.log 2>&1 || true
  fi
  compgen -G "prometheus_*.deb" >/dev/null ||
    fail "promtool cannot be fetched: $(grep -m 1 '^E:' apt.log || echo 'apt-get update, as root')"
  dpkg -x prometheus_*.deb unpacked
  mv unpacked/usr/bin/promtool promtool
  rm -rf unpacked prometheus_*.deb
}

tool=$(command -v promtool || true)
if [[ -z $tool ]]; then
  [[ -x $dir/promtool ]] || (fetch)
  tool=$dir/promtool
fi
exec "$tool" "$@"
