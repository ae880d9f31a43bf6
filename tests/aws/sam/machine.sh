# Sourced by run.sh: processes, the docker daemon, and how all of it ends.

docker_answers() {
    docker version >/dev/null 2>&1
}

can_start_docker() {
    [ "$(id -u)" = 0 ] && command -v dockerd >/dev/null
}

# Makes sure of a daemon and of Lambda's base image in it.
start_docker() {
    docker_answers || start_own_docker
    docker image inspect "$BASE_IMAGE" >/dev/null 2>&1 || made_base_image=yes
    tests/aws/sam/base-image.sh >/dev/null
}

start_own_docker() {
    [ -e /sys/class/net/docker0 ] || made_bridge=yes
    export DOCKER_HOST=unix://$work/docker.sock
    dockerd --iptables=false --ip-masq=false --host "$DOCKER_HOST" --data-root "$work/docker" \
        --exec-root "$work/exec" --pidfile "$work/docker.pid" >"$work/dockerd.log" 2>&1 &
    dockerd=$!
    wait_until "$dockerd" "$work/dockerd.log" docker_answers
}

# The one address at which containers, the daemon and this machine's programs all find the stand-ins.
bridge_address() {
    # A daemon that has had no container yet knows the subnet only; the bridge has its first address.
    docker network inspect bridge --format '{{with index .IPAM.Config 0}}{{or .Gateway .Subnet}}{{end}}' |
        sed 's/0\/.*/1/'
}

free_port() {
    "$TOOLS/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# wait_until PID LOG COMMAND...: until the command succeeds; fails with the log when the process ends first.
wait_until() {
    local pid=$1 log=$2 tries
    shift 2
    for ((tries = 0; tries < 600; tries++)); do
        ! "$@" 2>/dev/null || return 0
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 20 "$log" >&2
    return 1
}

# end PID: asks a process of ours to stop, and waits until it has.
end() {
    [ -n "$1" ] || return 0
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

clean_up() {
    local status=$?
    end "$sam"
    [ "$status" = 0 ] || report_failure >&2
    [ -z "$relay" ] || docker container rm --force "$relay" >/dev/null 2>&1 || true
    end "$stand_ins"
    remove_images
    stop_own_docker
    rm -rf "$work"
    exit "$status"
}

report_failure() {
    [ -z "$log" ] || grep -v '^$' "$log" | tail -n 20
    echo "sam: FAILED: $step_name"
}

# Leaves a daemon as it was found; above all, nothing of ours under the name of Amazon's image.
remove_images() {
    [ "${#images[@]}" = 0 ] || docker image rm --force "${images[@]}" >/dev/null 2>&1 || true
    [ -z "$made_base_image" ] || docker image rm --force "$EMULATION_IMAGE" "$BASE_IMAGE" >/dev/null 2>&1 || true
}

stop_own_docker() {
    [ -n "$dockerd" ] || return 0
    end "$dockerd"
    # Where mounts are private, as in a container, it leaves its folder mounted on itself.
    umount "$work/docker" 2>/dev/null || true
    [ -z "$made_bridge" ] || ip link delete docker0 2>/dev/null || true
}

readonly BASE_IMAGE=public.ecr.aws/lambda/provided:al2023-x86_64
readonly EMULATION_IMAGE=public.ecr.aws/lambda/provided:al2023-rapid-x86_64
work='' step_name='' log='' sam='' relay='' stand_ins='' dockerd='' made_bridge='' made_base_image=''
images=()
