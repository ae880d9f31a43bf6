#!/usr/bin/env bash
# Pushes and pulls with docker and skopeo through `sam local start-api` with infra/template.yaml, and sends one layer
# through the relay's image:
#   tests/aws/sam/run.sh
# FUNCTIONS_DIR is a folder with `api` and `relay`; without it debug ones are taken. What is missing is not built here (make
# sam-local). The docker daemon is the one that answers, or one of its own. S3, DynamoDB and Secrets Manager are the tests'
# stand-ins.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source tests/aws/sam/machine.sh
source tests/aws/sam/relay.sh

# Everything is on this machine, and no proxy leads to it.
export NO_PROXY='*' no_proxy='*'
readonly TARGET="${CARGO_TARGET_DIR:-$PWD/target}"
readonly TOOLS="${SAM_TOOLS:-$TARGET/test-tools/venv/bin}"
readonly ONE_LAYER_BYTES=1000000 OTHER_LAYER_BYTES=4000000

main() {
    require_tools
    work=$(mktemp -d /tmp/slipway-sam-XXXXXX)
    trap clean_up EXIT
    # Docker keeps logins here, and not with those of whoever runs this.
    mkdir "$work/docker-config"
    export DOCKER_CONFIG=$work/docker-config
    step "programs" build_programs
    step "docker" start_docker
    step "stand-ins" start_stand_ins
    step "sam local, warm containers" start_sam warm --warm-containers LAZY
    step "a push without a login" refuse_stranger
    step "login" log_in
    step "push and pull" push_and_pull warm
    step "the relay's image" start_relay
    step "a layer through the relay" push_through_relay
    step "the relay's end" stop_relay
    step "logout" log_out warm
    step "stop" stop_sam warm
    step "sam local, a container for each request" start_sam fresh
    step "login" log_in
    step "push and pull" push_and_pull fresh
    step "pull what was pushed before" pull_again warm fresh
    step "stop" stop_sam fresh
    step "each request had its own container" had_a_container_each fresh
    echo "sam: all well after $SECONDS s"
}

require_tools() {
    local tool
    for tool in docker skopeo busybox curl; do
        command -v "$tool" >/dev/null || skip "$tool is not installed"
    done
    [ -x "$TOOLS/sam" ] || skip "the SAM CLI is not in $TOOLS (tests/setup.sh installs it)"
    [ "$(uname -m)" = x86_64 ] || skip "this machine is $(uname -m), and the base image is made for x86_64"
    docker_answers || can_start_docker || skip "no docker daemon answers, and starting one takes root and dockerd"
}

skip() {
    case ",${SLIPWAY_REQUIRE:-}," in
        *,sam,* | *,all,*) echo "sam is required, but $1" >&2; exit 1 ;;
    esac
    echo "SKIPPED push and pull through sam local: $1"
    exit 0
}

step() {
    local started=$SECONDS
    step_name=$1
    shift
    "$@"
    echo "sam: $step_name: $((SECONDS - started)) s"
}

build_programs() {
    programs=${FUNCTIONS_DIR:-$TARGET/debug}
    tests/aws/sam/build.sh "$programs" "$work/build"
    tests/aws/glibc.sh "$work"/build/Api*/bootstrap
}

start_stand_ins() {
    TMPDIR=$work "$TARGET/debug/stand-ins" "$(bridge_address)" >"$work/variables" 2>"$work/stand-ins.log" &
    stand_ins=$!
    wait_until "$stand_ins" "$work/stand-ins.log" grep -q AWS_SECRET_ACCESS_KEY "$work/variables"
    source "$work/variables"
    unset AWS_PROFILE AWS_SESSION_TOKEN
    # What is not a parameter: names that AWS gives when it deploys.
    printf '{"Parameters": {"SLIPWAY_TABLE": "%s", "SLIPWAY_BUCKET": "%s"}}' "$TABLE" "$BUCKET" >"$work/names.json"
}

# start_sam ROUND [OPTION...]: starts it, as `registry`.
start_sam() {
    log=$work/$1.log
    shift
    registry=127.0.0.1:$(free_port)
    SAM_CLI_TELEMETRY=0 __SAM_CLI_APP_DIR=$work/sam "$TOOLS/sam" local start-api --template "$work/build/template.yaml" \
        --host 127.0.0.1 --port "${registry#*:}" --skip-pull-image "$@" --env-vars "$work/names.json" \
        --parameter-overrides WithEdge=no Architecture=x86_64 S3Endpoint="$S3_ENDPOINT" S3PathStyle=true \
        DynamodbEndpoint="$DYNAMODB_ENDPOINT" SecretsEndpoint="$SECRETS_ENDPOINT" >"$log" 2>&1 &
    sam=$!
    wait_until "$sam" "$log" grep -q 'Running on' "$log"
}

# stop_sam ROUND: stops it, and looks for containers that it left.
stop_sam() {
    local container
    end "$sam"
    sam=
    for container in $(containers_of "$1"); do
        ! docker container inspect "$container" >/dev/null 2>&1 || { echo "left: container $container" >&2; return 1; }
    done
}

containers_of() {
    sed -n 's/^SAM_CONTAINER_ID: //p' "$work/$1.log"
}

# Nobody gets in without a login or with a wrong password, and the challenge leads back to here.
refuse_stranger() {
    local image=$registry/admin/stranger challenge
    challenge=$(curl --silent --output "$work/refusal" --dump-header - "http://$registry/v2/" | tr -d '\r' |
        sed -n 's/^www-authenticate: //Ip')
    same "the challenge" "Bearer realm=\"http://$registry/token\",service=\"slipway\"" "$challenge"
    same "the error" '"UNAUTHORIZED"' "$(grep -o '"UNAUTHORIZED"' "$work/refusal")"
    images+=("$(build_image stranger "$image")")
    refused docker push --quiet "$image"
    refused from_registry "$image" "$work/stranger-pulled"
    refused docker login --username admin --password-stdin "$registry" <<<"not-$FIRST_PASSWORD"
}

log_in() {
    docker login --username admin --password-stdin "$registry" <<<"$FIRST_PASSWORD" >/dev/null 2>&1
}

# log_out ROUND: what could be pushed and pulled until now cannot be any more.
log_out() {
    docker logout "$registry" >/dev/null
    refused docker push --quiet "$registry/admin/stranger"
    refused docker pull --quiet "$registry/admin/$1/skopeo"
}

# refused COMMAND...: fails unless the command does, and because of access.
refused() {
    local status=0
    "$@" >"$work/said" 2>&1 || status=$?
    [ "$status" != 0 ] || { echo "not refused: $*" >&2; return 1; }
    grep -qiE 'unauthorized|denied|authentication required' "$work/said" || { cat "$work/said" >&2; return 1; }
}

# push_and_pull ROUND: a new image, by docker and by skopeo, both ways.
push_and_pull() {
    local image=$registry/admin/$1/docker copy=$registry/admin/$1/skopeo id digest
    id=$(build_image "$1" "$image")
    images+=("$id")
    digest=$(docker push "$image" | sed -n 's/.* digest: \(sha256:[0-9a-f]*\) .*/\1/p')
    docker image rm "$image" >/dev/null
    docker pull --quiet "$image@$digest" >/dev/null
    same "the image's id" "$id" "$(docker image inspect --format '{{.Id}}' "$image@$digest")"
    from_registry "$image" "$work/$1-pulled" --src-creds "admin:$FIRST_PASSWORD"
    to_registry "$work/$1-pulled" "$copy" --dest-creds "admin:$FIRST_PASSWORD"
    from_registry "$copy" "$work/$1-copied" --src-creds "admin:$FIRST_PASSWORD"
    diff -r "$work/$1-pulled" "$work/$1-copied"
    same "redirects to S3" yes "$(grep -q 'GET /v2/.*/blobs/.* 307 -' "$work/$1.log" && echo yes)"
}

# pull_again EARLIER NOW: what one SAM stored, another serves.
pull_again() {
    from_registry "$registry/admin/$1/docker" "$work/$1-again" --src-creds "admin:$FIRST_PASSWORD"
    diff -r "$work/$1-pulled" "$work/$1-again"
}

had_a_container_each() {
    local requests containers
    requests=$(grep -c 'HTTP/1.1.*" [0-9]* -$' "$work/$1.log")
    containers=$(containers_of "$1" | sort -u | wc -l)
    [ "$containers" -ge "$requests" ] || { echo "$containers containers for $requests requests" >&2; return 1; }
}

# build_image ROUND NAME: two layers that no other image has; prints the id.
build_image() {
    local context=$work/$1-context
    mkdir "$context"
    head -c "$ONE_LAYER_BYTES" /dev/urandom >"$context/one"
    head -c "$OTHER_LAYER_BYTES" /dev/urandom >"$context/other"
    printf 'FROM scratch\nCOPY one /\nCOPY other /\nCMD ["/one"]\n' >"$context/Dockerfile"
    # The builder that needs no plugin; it says on stderr that it is old.
    DOCKER_BUILDKIT=0 docker build --quiet --tag "$2" "$context" 2>/dev/null
}

# from_registry IMAGE FOLDER [OPTION...]
from_registry() {
    skopeo --insecure-policy copy --quiet --src-tls-verify=false "${@:3}" "docker://$1" "dir:$2"
}

# to_registry FOLDER IMAGE [OPTION...]
to_registry() {
    skopeo --insecure-policy copy --quiet --dest-tls-verify=false "${@:3}" "dir:$1" "docker://$2"
}

same() {
    [ "$2" = "$3" ] || { echo "$1: expected $2, found $3" >&2; return 1; }
}

main
