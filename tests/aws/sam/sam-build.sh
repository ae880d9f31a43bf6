#!/usr/bin/env bash
# Runs `sam build` with the shipped template, as infra/README.md tells users to, and looks at what comes out:
#   tests/aws/sam/sam-build.sh [FUNCTION]
# Without a function's name it builds all. ARCHITECTURE is arm64 or x86_64; without it, this machine's. Everything is
# compiled anew and optimised, which takes half an hour of one processor and more.
set -euo pipefail
cd "$(dirname "$0")/../../.."

readonly PACKAGES="cargo-lambda==1.9.2 ziglang==0.17.0"
readonly TARGET="${CARGO_TARGET_DIR:-$PWD/target}"
readonly SAM="${SAM_TOOLS:-$TARGET/test-tools/venv/bin}/sam"
readonly VENV="$TARGET/test-tools/cargo-lambda"
readonly BUILT=.aws-sam/build
# As readelf calls them.
declare -rA MACHINES=([x86_64]="Advanced Micro Devices X86-64" [arm64]=AArch64)

main() {
    local architecture function
    architecture=${ARCHITECTURE:-$(uname -m | sed s/aarch64/arm64/)}
    require_target "${architecture/arm64/aarch64}-unknown-linux-gnu"
    install_tools
    build "$architecture" "$@"
    for function in ${1:-$(functions)}; do
        check "$function" "$architecture"
    done
    echo "sam build: all well after $SECONDS s"
}

require_target() {
    [ -d "$(rustc --print sysroot)/lib/rustlib/$1" ] || { echo "$1 is missing: rustup target add $1" >&2; exit 1; }
}

install_tools() {
    [ -x "$SAM" ] || tests/setup.sh
    if [ "$(cat "$VENV/installed" 2>/dev/null)" != "$PACKAGES" ]; then
        python3 -m venv --clear "$VENV"
        # shellcheck disable=SC2086 # a list of packages
        "$VENV/bin/pip" install --quiet $PACKAGES
        echo "$PACKAGES" >"$VENV/installed"
    fi
}

# build ARCHITECTURE [FUNCTION]: into .aws-sam, what cargo leaves behind included.
build() {
    local architecture=$1
    shift
    PATH=$VENV/bin:$PATH CARGO_TARGET_DIR=$PWD/.aws-sam/target SAM_CLI_TELEMETRY=0 \
        "$SAM" build "$@" --parameter-overrides "Architecture=$architecture"
}

# The functions of the shipped template.
functions() {
    awk '/^  [A-Za-z0-9]+:$/ { name = $1; sub(":", "", name) } /^    Type: AWS::Serverless::Function$/ { print name }' \
        infra/template.yaml
}

# check FUNCTION ARCHITECTURE: its code is where the built template says, and runs on Lambda.
check() {
    local program=$BUILT/$1/bootstrap
    grep -A 20 "^  $1:$" $BUILT/template.yaml | grep -qx "      CodeUri: $1" || fail "$1 has another CodeUri"
    [ -x "$program" ] || fail "$program is not there"
    readelf --file-header "$program" | grep -q "Machine: *${MACHINES[$2]}$" || fail "$program is not for $2"
    tests/aws/glibc.sh "$program"
}

fail() {
    echo "sam build: $1" >&2
    exit 1
}

main "$@"
