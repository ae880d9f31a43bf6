# Sourced by run.sh: the relay's image, as a container with the settings of infra/relay.yaml.

# More than a function takes.
readonly RELAYED_BYTES=12000000
# Of functions/relay/Dockerfile; a test in tests/infra holds relay-image.sh against it.
readonly RELAY_USER=65532 RELAY_PORT=8080

# start_relay: builds the image and starts it; it is well when it asks for a login.
start_relay() {
    local image=slipway-relay:$$
    tests/aws/relay-image.sh "$programs/relay" "$image" >/dev/null
    images+=("$image")
    relay=$(docker run --detach --read-only --publish "127.0.0.1::$RELAY_PORT" \
        --env PORT=$RELAY_PORT --env AWS_REGION="$AWS_DEFAULT_REGION" --env SLIPWAY_ROLE=write \
        --env SLIPWAY_SECRET=RegistrySecret --env SLIPWAY_SECRETS_ENDPOINT="$SECRETS_ENDPOINT" \
        --env SLIPWAY_TABLE="$TABLE" --env SLIPWAY_BUCKET="$BUCKET" --env SLIPWAY_UPLOADS=inline \
        --env SLIPWAY_S3_ENDPOINT="$S3_ENDPOINT" --env SLIPWAY_S3_PATH_STYLE=true \
        --env SLIPWAY_DYNAMODB_ENDPOINT="$DYNAMODB_ENDPOINT" \
        --env AWS_ACCESS_KEY_ID --env AWS_SECRET_ACCESS_KEY "$image")
    relay_address=$(docker port "$relay" "$RELAY_PORT" | head -n 1)
    relay_process=$(docker inspect --format '{{.State.Pid}}' "$relay")
    docker logs --follow "$relay" >"$work/relay.log" 2>&1 &
    wait_until $! "$work/relay.log" relay_is_well
    same "the relay's user" "$RELAY_USER" "$(awk '/^Uid:/ { print $2 }' "/proc/$relay_process/status")"
}

relay_is_well() {
    [ "$(status "http://$relay_address/v2/")" = 401 ]
}

# A layer that begins and ends at the API, and goes through the relay as clients send it: in chunks, of unknown length.
push_through_relay() {
    local layer=$work/relayed repository=admin/relayed digest authorization location path
    head -c "$RELAYED_BYTES" /dev/urandom >"$layer"
    digest=sha256:$(sha256sum "$layer" | cut -d ' ' -f 1)
    authorization="Authorization: Bearer $(token "repository:$repository:pull,push")"
    location=$(curl --silent --request POST --header "$authorization" --dump-header - --output /dev/null \
        "http://$registry/v2/$repository/blobs/uploads/" | tr -d '\r' | sed -n 's/^location: //Ip')
    path=/v2/${location#*/v2/}
    same "PATCH without a login" 401 "$(status --upload-file - --request PATCH "http://$relay_address$path" <"$layer")"
    same "PATCH" 202 "$(status --upload-file - --request PATCH --header "$authorization" \
        "http://$relay_address$path" <"$layer")"
    same "PUT" 201 "$(status --request PUT --header "$authorization" \
        "http://$registry$path$(case $path in *\?*) echo '&' ;; *) echo '?' ;; esac)digest=$digest")"
    curl --silent --fail --location --header "$authorization" --output "$layer.pulled" \
        "http://$registry/v2/$repository/blobs/$digest"
    cmp "$layer" "$layer.pulled"
}

# token SCOPE: an access token of the administrator.
token() {
    curl --silent --fail --user "admin:$FIRST_PASSWORD" "http://$registry/token?service=slipway&scope=$1" |
        sed -n 's/.*"token": *"\([^"]*\)".*/\1/p'
}

# status CURL-ARGUMENT...: the status of the answer.
status() {
    curl --silent --output /dev/null --write-out '%{http_code}' "$@"
}

# What ends it on Fargate, too: SIGTERM, and SIGKILL only much later.
stop_relay() {
    docker stop --time 60 "$relay" >/dev/null
    same "how the relay ended" 0 "$(docker inspect --format '{{.State.ExitCode}}' "$relay")"
    docker container rm "$relay" >/dev/null
    relay=
}
