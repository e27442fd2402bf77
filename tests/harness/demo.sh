# shellcheck shell=bash
# The pipeline as separate processes: demo, up, down. Sourced by `run`, which has built the programs and loaded servers.sh.

BIN=$ROOT/build/bin
UP=$ROOT/build/up

# http METHOD URL [JSON]: prints the body; fails unless the answer is 2xx.
http() {
    local data=()
    if (($# > 2)); then
        data=(-H 'Content-Type: application/json' --data "$3")
    fi
    curl --silent --show-error --fail --noproxy '*' --max-time 10 -X "$1" "${data[@]}" "$2"
}

# start_service NAME: a service of ours, until it says that it is ready. Sets NAME_HTTP, where its metrics are.
start_service() {
    local name=$1 port
    shift
    port=$(free_port)
    printf -v "${name}_HTTP" '%s' "http://127.0.0.1:$port"
    start_process "$name" env "HTTP_BIND=127.0.0.1" "HTTP_PORT=$port" "$@" "$BIN/proofline-$name"
    wait_ready "$name" http GET "http://127.0.0.1:$port/readyz"
}

# Starts everything under $STATE and sets NATS_URL, DATABASE_URL, MINA_NODE_ENDPOINT, MINA_NETWORK and NODE_HTTP.
start_pipeline() {
    local address
    mkdir -p "$STATE"
    start_nats
    start_postgres
    export MINA_NETWORK=devnet LOG_FORMAT=json LOG_LEVEL=${LOG_LEVEL:-info} MIGRATIONS_DIR=$ROOT/migrations
    address=$("$BIN/proofctl" mina keygen --out "$STATE/fee-payer.key" | sed -n 's/^public key: *//p')
    start_process devnode "$BIN/proofline-devnode" --port 0 --port-file "$STATE/devnode.port" \
        --state "$STATE/devnode.chain" --block-ms "${BLOCK_MS:-3000}" --fund "$address=1000"
    wait_ready devnode test -s "$STATE/devnode.port"
    NODE_HTTP=http://127.0.0.1:$(cat "$STATE/devnode.port")
    export MINA_NODE_ENDPOINT=$NODE_HTTP/graphql
    "$BIN/proofctl" migrate up
    "$BIN/proofctl" topology apply
    start_service generator
    start_service publisher "FEE_PAYER_PRIVATE_KEY_FILE=$STATE/fee-payer.key"
    "$BIN/proofctl" keygen --out "$STATE/creator.pem" >"$STATE/creator.txt"
}

finish_demo() {
    local status=$?
    trap '' INT TERM HUP
    stop_all
    if ((status == 0 || status == 130)); then
        rm -rf "$STATE"
    else
        echo "the demo failed; its logs are in $STATE" >&2
    fi
    exit "$status"
}

# metric SERVICE_HTTP NAME: its samples.
metric() {
    http GET "$1/metrics" | grep -E "^$2[ {]" || true
}

status_line() {
    sed -n "s/^$1  *//p" <<<"$STATUS"
}

read_status() {
    STATUS=$("$BIN/proofctl" status "$IMAGE" 2>/dev/null)
}

has_tried_to_publish() {
    read_status && (($(status_line 'proofs generated') == 1 && $(status_line 'publish attempts') >= 1))
}

# Why the publisher takes no work at the moment, in its own words.
publisher_waits() {
    # shellcheck disable=SC2154  # set by start_service
    READINESS=$(curl --silent --noproxy '*' --max-time 10 "$publisher_HTTP/readyz")
    [[ $READINESS == *'"ready":false'* ]]
}

is_complete() {
    read_status && [[ $(status_line status) == complete ]]
}

# wait_until SECONDS COMMAND...
wait_until() {
    local tenths=$(($1 * 10))
    shift
    while ! "$@"; do
        ((tenths-- > 0)) || return 1
        sleep 0.1
    done
}

take_the_node_away() {
    say "The Mina node is taken away: it refuses every connection"
    http POST "$NODE_HTTP/control/faults" '{"kind": "refuse", "on": "all"}'
    echo
}

give_the_node_back() {
    say "The Mina node comes back"
    http DELETE "$NODE_HTTP/control/faults"
    echo
}

show_counts() {
    status_line status | sed 's/^/status: /'
    printf 'proofs generated: %s   publish attempts: %s\n' "$(status_line 'proofs generated')" \
        "$(status_line 'publish attempts')"
    # shellcheck disable=SC2154  # set by start_service
    metric "$generator_HTTP" proofline_proofs_generated_total
    # shellcheck disable=SC2154
    metric "$publisher_HTTP" proofline_transactions_sent_total
}

show_result() {
    say "The way of this submission"
    printf '%s\n' "$STATUS"
    say "Proofs generated: $(status_line 'proofs generated')   publish attempts: $(status_line 'publish attempts')"
    echo "transaction: $(status_line transaction)"
    say "Verified from the image, the stored proof, the creator's key and the node"
    "$BIN/proofctl" verify "$IMAGE" --public-key "$(sed -n 's/^public key: *//p' "$STATE/creator.txt")" \
        --node "$MINA_NODE_ENDPOINT" --timeout 30
}

pipeline_demo() {
    IMAGE=$(realpath -e "${1:-$ROOT/tests/fixtures/photo.png}") || die "no such image: $1"
    STATE=$(mktemp -d "$ROOT/build/demo-XXXXXX")
    trap finish_demo EXIT
    trap 'exit 130' INT TERM HUP
    say "Starting NATS, Postgres, a Mina node and both services under ${STATE#"$ROOT/"}"
    BLOCK_MS=1000 start_pipeline
    take_the_node_away
    say "Submitting $IMAGE ($(stat -c %s "$IMAGE") bytes)"
    "$BIN/proofctl" submit "$IMAGE" --key "$STATE/creator.pem"
    wait_until 60 has_tried_to_publish || die "the publisher did not try to publish"
    wait_until 60 publisher_waits || die "the publisher did not notice that the node is away"
    sleep 3 # the node stays away for a while, as nodes do: the proof waits, nothing is made again
    read_status
    show_counts
    echo "the publisher says: $READINESS"
    give_the_node_back
    wait_until 60 is_complete || die "the submission did not become complete: $(status_line status)"
    show_counts
    show_result
    (($(status_line 'proofs generated') == 1)) || die "the proof was not made exactly once"
    (($(status_line 'publish attempts') > 1)) || die "publishing was not tried again"
}

write_environment() {
    {
        printf 'export %s=%q\n' NATS_URL "$NATS_URL" DATABASE_URL "$DATABASE_URL" \
            MINA_NODE_ENDPOINT "$MINA_NODE_ENDPOINT" MINA_NETWORK "$MINA_NETWORK" MIGRATIONS_DIR "$MIGRATIONS_DIR" \
            FEE_PAYER_PRIVATE_KEY_FILE "$STATE/fee-payer.key" CREATOR_KEY "$STATE/creator.pem"
        # shellcheck disable=SC2016  # for the shell that reads the file
        printf 'export PATH=%q:$PATH\n' "$BIN"
    } >"$STATE/environment"
}

abandon_up() {
    trap '' INT TERM HUP
    stop_all
    exit 1
}

pipeline_up() {
    STATE=$UP
    if [[ -f $STATE/environment ]] && process_runs publisher; then
        echo "it runs already; its environment: . $STATE/environment"
        return
    fi
    if [[ -d $STATE ]]; then
        stop_all
        rm -rf "$STATE"
    fi
    trap abandon_up EXIT INT TERM HUP
    start_pipeline
    write_environment
    trap - EXIT INT TERM HUP
    say "Everything runs. In your shell:"
    cat <<TEXT
  . $STATE/environment
  proofctl submit $ROOT/tests/fixtures/photo.png --key \$CREATOR_KEY --wait

generator  $generator_HTTP/metrics
publisher  $publisher_HTTP/metrics
node       $NODE_HTTP/control/stats
logs       $STATE/*.log

./run down ends it all.
TEXT
}

pipeline_down() {
    STATE=$UP
    if [[ ! -d $STATE ]]; then
        echo "nothing runs"
        return
    fi
    stop_all
    rm -rf "$STATE"
}
