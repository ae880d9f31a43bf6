#!/usr/bin/env bash
# Fails if a program is larger than 8 MB as the zip that Lambda gets:
#   tests/aws/size.sh target/release/api
set -euo pipefail

readonly MAX_BYTES=8000000

for program in "$@"; do
    bytes=$(gzip -6 <"$program" | wc -c)
    echo "$program has $(stat -c %s "$program") bytes, $bytes as zip"
    [ "$bytes" -le "$MAX_BYTES" ] || { echo "Lambda is to get no more than $MAX_BYTES" >&2; exit 1; }
done
