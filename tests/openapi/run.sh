#!/usr/bin/env bash
# Asks the management API everything that its OpenAPI document allows, and much that it does not, with Schemathesis.
#
# A registry with accounts of its own, a fixed seed, and a bounded number of requests: about half a minute. Needs
# `make functions`, which builds the program.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly TARGET="${CARGO_TARGET_DIR:-target}"
readonly CHECKS="not_a_server_error,status_code_conformance,response_schema_conformance,content_type_conformance"
readonly MORE_CHECKS="response_headers_conformance,unsupported_method,allow_header_conformance,ignored_auth"
readonly PASSWORD="correct horse battery"

main() {
    local schemathesis="${SCHEMATHESIS:-$TARGET/test-tools/venv/bin/schemathesis}"
    if [ ! -x "$schemathesis" ]; then
        echo "SKIPPED openapi: schemathesis is not installed; tests/setup.sh does it"
        case ",${SLIPWAY_REQUIRE:-}," in *,openapi,* | *,all,*) exit 1 ;; esac
        exit 0
    fi
    folder=$(mktemp -d)
    trap stop EXIT
    start
    fill
    "$schemathesis" --config-file tests/openapi/schemathesis.toml run "$url/api/v1/openapi.json" \
        --header "Authorization: Bearer $(token)" --checks "$CHECKS,$MORE_CHECKS" \
        --seed 20261121 --max-examples "${EXAMPLES:-20}" --continue-on-failure
    ! grep -E ' (WARN|ERROR) |panicked' "$folder/log" || exit 1
}

start() {
    (umask 077 && printf %s "$PASSWORD" >"$folder/password")
    "$TARGET/debug/slipway" serve --auth --admin-password-file "$folder/password" --data "$folder/data" \
        --listen 127.0.0.1:0 >"$folder/out" 2>"$folder/log" &
    server=$!
    for _ in $(seq 100); do
        url=$(sed -n 's/.* listens on //p' "$folder/out")
        [ -z "$url" ] || return 0
        sleep 0.1
    done
    cat "$folder/out" "$folder/log" >&2
    return 1
}

stop() {
    kill "${server:-}" 2>/dev/null && wait "$server" || true
    rm -rf "$folder"
}

# An access token is quicker than the password, and none of the requests can revoke it.
token() {
    curl -fsS -u "admin:$PASSWORD" "$url/token?service=slipway" | sed 's/.*"token":"\([^"]*\)".*/\1/'
}

# So that not everything that is asked for is unknown: the names are those in schemathesis.toml.
fill() {
    ask POST users '{"name":"bob","password":"'"$PASSWORD"'"}'
    ask POST organisations '{"name":"team"}'
    ask PUT organisations/team/teams/devs '{}'
    ask PUT organisations/team/members/bob '{"role":"owner"}'
    ask POST repositories '{"name":"team/app"}'
}

ask() {
    curl -fsS -o /dev/null -u "admin:$PASSWORD" -X "$1" -H 'content-type: application/json' -d "$3" "$url/api/v1/$2"
}

main
