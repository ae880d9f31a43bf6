#!/usr/bin/env bash
# Tests the edge: its function, the template that holds it, and the stand-in for CloudFront.
set -euo pipefail
cd "$(dirname "$0")/../../.."

if ! command -v node >/dev/null; then
    case ",${SLIPWAY_REQUIRE:-}," in
        *,node,* | *,all,*) echo "the edge's tests need node, which is not installed" >&2 && exit 1 ;;
    esac
    echo "SKIPPED the tests of the edge: they need node, which is not installed" >&2
    exit 0
fi
# With the features of the whole workspace, so that nothing is compiled twice.
cargo build --quiet --locked --workspace --bin deployed
export DEPLOYED="${CARGO_TARGET_DIR:-$PWD/target}/debug/deployed"
exec node --test infra/edge/test/*.test.mjs tests/aws/edge/*.test.mjs
