#!/bin/sh
# The web page's tests drive Debian's Chromium: installs it where that is allowed, else says what to type.
set -eu
if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then exit 0; fi
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
echo "Installing chromium and chromium-driver for the web page's tests ..."
# apt asks and warns on a terminal that is not there.
export DEBIAN_FRONTEND=noninteractive
if command -v apt-get >/dev/null && $as_root apt-get update -qq && $as_root apt-get install -qq --yes \
  --no-install-recommends chromium chromium-driver fonts-dejavu-core >/dev/null; then exit 0; fi
echo "make test needs Chromium and its driver: apt-get install chromium chromium-driver" >&2
exit 1
