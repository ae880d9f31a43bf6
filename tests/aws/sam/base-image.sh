#!/usr/bin/env bash
# Makes what stands in for Lambda's base image on a machine that cannot pull it, from files of this machine:
#   tests/aws/sam/base-image.sh
# The C library is this machine's and not Amazon Linux's. An image that is there is never replaced.
set -euo pipefail

readonly IMAGE=public.ecr.aws/lambda/provided:al2023-x86_64
readonly LIBRARIES="libc.so.6 libm.so.6 libgcc_s.so.1 libpthread.so.0 libdl.so.2 librt.so.1 libresolv.so.2
    libnss_dns.so.2 libnss_files.so.2"
# SAM adds Lambda's emulator to the image with these.
readonly COMMANDS="sh mv chmod"

main() {
    if docker image inspect "$IMAGE" >/dev/null 2>&1; then
        echo "$IMAGE is there"
        return
    fi
    root=$(mktemp -d)
    trap 'rm -r "$root"' EXIT
    fill
    tar --directory "$root" --owner 0 --group 0 --create . | docker import \
        --change 'ENV PATH=/bin LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime' \
        --change 'WORKDIR /var/task' - "$IMAGE"
}

fill() {
    local name
    chmod 755 "$root"
    mkdir -p "$root"/{bin,dev,etc/ssl/certs,lib64,lib/x86_64-linux-gnu,opt,proc,root,sys,var/task,var/rapid,var/runtime}
    mkdir --mode 1777 "$root/tmp"
    cp -L "$(command -v busybox)" "$root/bin/busybox"
    for name in $COMMANDS; do
        ln -s busybox "$root/bin/$name"
    done
    cp -L /lib64/ld-linux-x86-64.so.2 "$root/lib64"
    for name in $LIBRARIES; do
        [ ! -e "/lib/x86_64-linux-gnu/$name" ] || cp -L "/lib/x86_64-linux-gnu/$name" "$root/lib/x86_64-linux-gnu"
    done
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs"
    echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
    printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'sbx_user1051:x:993:990::/home/sbx_user1051:/bin/sh' \
        >"$root/etc/passwd"
}

main
