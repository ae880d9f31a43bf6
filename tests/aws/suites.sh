#!/usr/bin/env bash
# Runs the suites of the one-machine registry against the deployed topology on one machine: conformance against the
# API alone, hostile requests against the API and through the edge, `slipway smoke` against the edge. A function that
# failed meanwhile is a failure, too. FUNCTIONS_DIR is a folder with other functions than the debug ones.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly BUILT="${CARGO_TARGET_DIR:-target}/${SLIPWAY_PROFILE:-debug}"
readonly FUNCTIONS="${FUNCTIONS_DIR:-$BUILT}"
readonly WORK="$(mktemp -d)"
CLOUD=""

main() {
    trap finish EXIT
    tests/aws/glibc.sh "$FUNCTIONS/api" "$FUNCTIONS/events" "$FUNCTIONS/scheduled"
    start --without-edge
    echo "=== conformance of the API without an edge"
    SLIPWAY_CONFORMANCE_URL="http://$(address api)" SLIPWAY_CONFORMANCE_AUTHORIZATION="$(authorization)" \
        SLIPWAY_CONFORMANCE_DIFFERENCES="$PWD/tests/aws/conformance.txt" \
        cargo test --quiet --workspace --test conformance
    echo "=== hostile requests to the API without an edge"
    hostile tests/aws/hostile.txt
    stop
    start
    echo "=== smoke of the edge"
    password | "$BUILT/slipway" smoke "http://$(address registry)" --user admin --password-stdin
    echo "=== hostile requests through the edge"
    hostile tests/aws/hostile.txt:tests/aws/hostile-edge.txt
    stop
}

hostile() {
    SLIPWAY_HOSTILE_URL="http://$(address registry)" SLIPWAY_HOSTILE_LAMBDA="http://$(address lambda)" \
        SLIPWAY_HOSTILE_AUTHORIZATION="$(authorization)" SLIPWAY_HOSTILE_DIFFERENCES="$1" \
        cargo test --quiet --workspace --test hostile -- hostile_requests
}

start() {
    "$BUILT/cloud" --functions "$FUNCTIONS" "$@" >"$WORK/cloud" &
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

password() {
    sed -n 's/^login *admin //p' "$WORK/cloud"
}

# What logs the administrator in, as a header's value.
authorization() {
    sed -n 's/^header *Authorization: //p' "$WORK/cloud"
}

stop() {
    local cloud=$CLOUD
    CLOUD=""
    kill -INT "$cloud"
    wait "$cloud"
}

finish() {
    [ -z "$CLOUD" ] || stop || true
    rm -rf "$WORK"
}

main
