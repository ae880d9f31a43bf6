#!/usr/bin/env bash
# Asks cfn-lint and `sam validate --lint` about the templates in infra/, with the versions in the virtual environment.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly TOOLS="${CARGO_TARGET_DIR:-target}/test-tools/venv/bin"
readonly REGION=us-east-1

for tool in cfn-lint sam; do
    if [ ! -x "$TOOLS/$tool" ]; then
        echo "SKIPPED $tool is not in $TOOLS"
        exit 0
    fi
done

# SAM's home is thrown away: it would remember a user's answer about telemetry.
home=$(mktemp -d)
trap 'rm -r "$home"' EXIT
export SAM_CLI_TELEMETRY=0 __SAM_CLI_APP_DIR="$home"

"$TOOLS/cfn-lint" --regions "$REGION" -- infra/*.yaml
"$TOOLS/sam" validate --region "$REGION"
echo "the templates are clean"
