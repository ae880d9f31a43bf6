#!/usr/bin/env bash
# Makes the folder that `sam build` would make, from programs that cargo has built:
#   tests/aws/sam/build.sh PROGRAMS FOLDER
# PROGRAMS holds `api`. The functions that the API does not start stay without a program.
set -euo pipefail

readonly INFRA="$(dirname "$0")/../../../infra"

main() {
    [ $# = 2 ] || { echo "usage: $0 PROGRAMS FOLDER" >&2; exit 2; }
    local programs=$1 folder=$2 function
    mkdir -p "$folder"
    cp "$INFRA"/*.yaml "$folder"
    with_built_code <"$INFRA/template.yaml" >"$folder/template.yaml"
    for function in $(sed -n 's/^      CodeUri: //p' "$folder/template.yaml"); do
        mkdir -p "$folder/$function"
    done
    for function in ApiReadFunction ApiWriteFunction ApiTokenFunction; do
        cp "$programs/api" "$folder/$function/bootstrap"
    done
}

# The template with each function's code in the folder of its name, as `sam build` writes it.
with_built_code() {
    awk '
        /^  [A-Za-z0-9]+:$/ { name = $1; sub(":", "", name) }
        /^      CodeUri: / { $0 = "      CodeUri: " name }
        { print }'
}

main "$@"
