#!/usr/bin/env bash
# Makes the file tree of a container that holds nothing but the agent: examples/container.sh PROGRAM DIRECTORY
# The program, the libraries that it loads at the paths where it looks for them, and a user without rights.
set -euo pipefail
(($# == 2)) || { echo "usage: $0 PROGRAM DIRECTORY" >&2; exit 64; }
program=$1 tree=$2

mkdir -p "$tree/etc" "$tree/tmp" "$tree/var/lib/footfall"
install -m 755 "$program" "$tree/footfall"

# `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)`, and the loader, which stands alone.
ldd "$program" | grep -oE '/[^ ]+' | sort -u | while read -r library; do
  install -D -m 755 "$(realpath "$library")" "$tree$library"
done

echo 'footfall:x:65532:65532::/var/lib/footfall:/' > "$tree/etc/passwd"
echo 'footfall:x:65532:' > "$tree/etc/group"
chmod 1777 "$tree/tmp"
chown 65532:65532 "$tree/var/lib/footfall"
