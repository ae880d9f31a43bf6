#!/usr/bin/env bash
# Runs the suites of the one-machine registry against the deployed topology on one machine: conformance against the
# API alone, `slipway smoke` against the edge.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly BUILT="${CARGO_TARGET_DIR:-target}/debug"
readonly WORK="$(mktemp -d)"
CLOUD=""

main() {
    trap finish EXIT
    start --without-edge
    echo "=== conformance of the API without an edge"
    SLIPWAY_CONFORMANCE_URL="http://$(address api)" \
        SLIPWAY_CONFORMANCE_DIFFERENCES="$PWD/tests/aws/conformance.txt" \
        cargo test --quiet --test conformance
    stop
    start
    echo "=== smoke of the edge"
    "$BUILT/slipway" smoke "http://$(address registry)"
}

start() {
    "$BUILT/cloud" --functions "$BUILT" "$@" >"$WORK/cloud" &
    CLOUD=$!
    local waited
    for waited in $(seq 300); do
        grep -q '^api ' "$WORK/cloud" && return
        sleep 0.1
    done
    echo "the cloud does not start ($waited)" >&2
    exit 1
}

address() {
    sed -n "s#^$1 *http://##p" "$WORK/cloud"
}

stop() {
    kill -INT "$CLOUD" 2>/dev/null || true
    wait "$CLOUD" || true
    CLOUD=""
}

finish() {
    [ -z "$CLOUD" ] || stop
    rm -rf "$WORK"
}

main
