#!/usr/bin/env bash
# Installs Debian packages if permitted. Fails silently otherwise.
set -euo pipefail

as_root=()
if [ "$(id -u)" != 0 ]; then
  as_root=(sudo -n)
fi
command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null || exit 1

echo "Installing $*"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@"
