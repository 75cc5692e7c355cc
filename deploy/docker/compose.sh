#!/usr/bin/env bash
# Runs docker compose v2: the plugin that is installed, else Debian's program, which is unpacked once into .venv/compose
# without being installed. Enough for `config`, which needs no engine. What is missing is said in one line.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
dir=$root/.venv/compose
fail() { echo "compose.sh: $*" >&2; exit 1; }

find_mirror() {
  # the mirror this machine already uses, asked for a release that carries compose v2
  { cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true; } |
    grep -v '^ *#' | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' '
}

download() {
  local mirror keyring options
  mirror=${COMPOSE_MIRROR:-$(find_mirror || true)}
  [[ $mirror ]] || fail "the apt sources name no Debian mirror: set COMPOSE_MIRROR to one (its URL ends in /debian)"
  keyring=$(ls /usr/share/keyrings/debian-archive-keyring.{gpg,pgp} 2>/dev/null | head -n 1 || true)
  [[ $keyring ]] || fail "needs Debian's keys: apt-get install debian-archive-keyring"
  mkdir -p "$dir"/{lists/partial,debs}
  echo "deb [signed-by=$keyring] $mirror trixie main" >"$dir/sources.list"
  options=(-qq -o APT::Update::Error-Mode=any -o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir" -o APT::Sandbox::User=root)
  (apt-get "${options[@]}" update && cd "$dir/debs" && apt-get "${options[@]}" download docker-compose) >"$dir/apt.log" 2>&1 ||
    fail "compose cannot be fetched from $mirror: $(grep -m 1 '^E:' "$dir/apt.log" || tail -n 1 "$dir/apt.log")"
  dpkg -x "$dir"/debs/docker-compose_*.deb "$dir/unpacked"
  mv "$dir/unpacked/usr/libexec/docker/cli-plugins/docker-compose" "$dir/docker-compose"
  rm -rf "$dir"/{unpacked,debs,lists}
}

if docker compose version >/dev/null 2>&1; then exec docker compose "$@"; fi
if [[ ! -x $dir/docker-compose ]]; then
  command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
    fail "docker has no compose plugin, and no apt-get to fetch one with: install Docker's compose plugin"
  mkdir -p "$dir"
  exec 9>"$dir/lock"  # tests ask from several processes at once
  flock 9
  [[ -x $dir/docker-compose ]] || download
  exec 9>&-
fi
exec "$dir/docker-compose" "$@"
