#!/usr/bin/env bash
# Sends each parser hostile input: ./run.sh [runs per target] [target...]
# Without a C++ compiler the targets cannot be built; that is a visible skip, unless SLIPWAY_REQUIRE names fuzz.
set -euo pipefail
cd "$(dirname "$0")"

# Each target and the longest input worth trying, a little beyond its own limit.
readonly TARGETS="
    codec:1024 content_range:64 digest:160 endpoint:600 hasher:512 http_request:4096 manifest:2048
    media_type:300 name:300 query:256 range:96 reference:160 tag:160 upload_id:96
"
readonly COVERAGE="--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"

target_dir=$(realpath -m "${CARGO_TARGET_DIR:-../../target}")/fuzz
at_fixed_addresses=$(setarch -R true 2>/dev/null && echo "setarch -R" || true)
passed=0 failed=0

main() {
    local runs=${1:-20000} only=" ${*:2} " entry
    build
    for entry in $TARGETS; do
        if [ "$only" = "  " ] || [[ "$only" == *" ${entry%%:*} "* ]]; then
            run "${entry%%:*}" "${entry##*:}" "$runs"
        fi
    done
    echo "fuzz: $passed passed, $failed failed"
    [ "$failed" = 0 ]
}

# With --target the coverage flags stay away from build scripts and macros.
build() {
    host=$(rustc -vV | sed -n 's/^host: //p')
    flags=$(echo $COVERAGE)
    command -v "${CXX:-c++}" >/dev/null || skip "there is no C++ compiler"
    echo | rustc --crate-type lib --emit obj -o /dev/null $flags - 2>/dev/null || skip "rustc cannot measure coverage"
    if ! RUSTFLAGS=$flags cargo build --quiet --release --target "$host" --target-dir "$target_dir"; then
        echo "fuzz: FAILED: the targets do not build" >&2
        exit 1
    fi
}

skip() {
    if [[ ",${SLIPWAY_REQUIRE:-}," == *,fuzz,* || ",${SLIPWAY_REQUIRE:-}," == *,all,* ]]; then
        echo "fuzz: FAILED: $1" >&2
        exit 1
    fi
    echo "fuzz: SKIPPED: $1"
    exit 0
}

# Begins with the seeds alone and at fixed addresses, which libFuzzer counts too, so that a run can be repeated.
run() {
    local name=$1 max_len=$2 runs=$3 started=$SECONDS
    local work="$target_dir/run/$name"
    rm -rf "$work"
    mkdir -p "$work/corpus"
    if $at_fixed_addresses "$target_dir/$host/release/$name" -seed=1 -runs="$runs" -max_len="$max_len" -len_control=0 -timeout=10 \
        -dict=words.dict -artifact_prefix="$work/" "$work/corpus" "seeds/$name" >"$work/log" 2>&1; then
        passed=$((passed + 1))
        echo "fuzz: $name passed: $runs runs, $(coverage "$work/log"), $((SECONDS - started)) s"
    else
        failed=$((failed + 1))
        echo "fuzz: $name FAILED"
        grep -a -A 4 -E "panicked at|ERROR: libFuzzer" "$work/log" | head -n 12 | sed 's/^/    /'
        echo "    again: $target_dir/$host/release/$name $(echo "$work"/*-*)"
    fi
}

coverage() {
    grep -a -o 'cov: [0-9]* ft: [0-9]* corp: [0-9]*' "$1" | tail -n 1 | sed -E 's/cov: ([0-9]+) .* corp: ([0-9]+)/\1 edges, \2 inputs kept/'
}

main "$@"
