#!/usr/bin/env bash
# Fails if a program needs a glibc newer than that of Amazon Linux 2023, on which the functions run:
#   tests/aws/glibc.sh .aws-sam/build/*/bootstrap
set -euo pipefail

readonly NEWEST=2.34

for program in "$@"; do
    needed=$(readelf --version-info --wide "$program" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -uV | tail -n 1)
    if [ "$(printf '%s\n' "$needed" "$NEWEST" | sort -V | tail -n 1)" != "$NEWEST" ]; then
        echo "$program needs glibc $needed, and Amazon Linux 2023 has $NEWEST" >&2
        exit 1
    fi
    echo "$program needs glibc ${needed:-of no version}; Amazon Linux 2023 has $NEWEST"
done
