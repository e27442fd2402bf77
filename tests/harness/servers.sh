# shellcheck shell=bash
# Starts and ends private servers for `run`: each has a folder, a log and a pid file under $STATE, loopback ports only.
# A pid file holds the pid and the process's start time, so that a pid used anew is never taken for ours.

START_S=60 # longest wait for a server to become ready
STOP_S=20  # longest wait for one to stop before it is killed

say() {
    if [[ -t 1 ]]; then
        printf '\n\033[1m%s\033[0m\n' "$*"
    else
        printf '\n%s\n' "$*"
    fi
}

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# A port that nobody listens on, from below the range that outgoing connections use.
free_port() {
    local port
    while :; do
        port=$((14000 + RANDOM % 18000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
}

process_start_time() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    [[ $1 != Z ]] && echo "${20}"
}

# process_runs NAME: true while the process started under this name lives.
process_runs() {
    local pid started
    read -r pid started 2>/dev/null <"$STATE/$1.pid" || return 1
    [[ $(process_start_time "$pid") == "$started" ]]
}

# start_process NAME COMMAND...: in a session of its own, so that Ctrl-C reaches it only through us, in order.
start_process() {
    local name=$1
    shift
    setsid "$@" >>"$STATE/$name.log" 2>&1 </dev/null &
    echo "$! $(process_start_time $!)" >"$STATE/$name.pid"
    disown
    echo "$name" >>"$STATE/started"
}

# signal_process NAME SIGNAL
signal_process() {
    local pid
    process_runs "$1" || return 0
    read -r pid _ <"$STATE/$1.pid"
    kill "-$2" "$pid" 2>/dev/null || true
}

# stop_process NAME [SIGNAL]: waits for its end.
stop_process() {
    local tenths
    signal_process "$1" "${2:-TERM}"
    for ((tenths = 0; tenths < STOP_S * 10; tenths++)); do
        process_runs "$1" || break
        sleep 0.1
    done
    signal_process "$1" KILL
    rm -f "$STATE/$1.pid"
}

# stop_all: ends everything that was started under $STATE, the last one first.
stop_all() {
    local name
    [[ -f $STATE/started ]] || return 0
    for name in $(tac "$STATE/started" | awk '!seen[$0]++'); do
        case $name in
        postgres) stop_process "$name" INT ;;
        *) stop_process "$name" ;;
        esac
    done
    rm -f "$STATE/started"
}

# wait_for NAME COMMAND...: until the command succeeds; false when the process ended or time is up.
wait_for() {
    local name=$1 tenths
    shift
    for ((tenths = 0; tenths < START_S * 10; tenths++)); do
        "$@" >/dev/null 2>&1 && return 0
        process_runs "$name" || break
        sleep 0.1
    done
    "$@" >/dev/null 2>&1
}

# wait_ready NAME COMMAND...: as wait_for, and gives up with the process's log.
wait_ready() {
    wait_for "$@" && return 0
    tail -n 30 "$STATE/$1.log" >&2
    die "$1 did not become ready; its log is $STATE/$1.log"
}

# Sets NATS_URL.
start_nats() {
    local try port
    for try in 1 2 3; do
        port=$(free_port)
        mkdir -p "$STATE/nats"
        cat >"$STATE/nats.conf" <<CONF
host: 127.0.0.1
port: $port
jetstream { store_dir: "$STATE/nats" }
CONF
        start_process nats nats-server -c "$STATE/nats.conf"
        if wait_for nats grep -q 'Server is ready' "$STATE/nats.log"; then
            export NATS_URL=nats://127.0.0.1:$port
            return
        fi
    done
    tail -n 30 "$STATE/nats.log" >&2
    die "nats-server did not start after $try tries"
}

postgres_programs() {
    local found=(/usr/lib/postgresql/*/bin/initdb)
    [[ -x ${found[-1]} ]] || die "initdb not found: install the Debian package postgresql"
    dirname "${found[-1]}"
}

# What Postgres's programs are run through. Postgres refuses root: as root, the user postgres runs it, with just the
# capability to reach a folder below a home that is closed to others.
AS_POSTGRES=()
if ((EUID == 0)); then
    AS_POSTGRES=(setpriv --reuid postgres --regid postgres --clear-groups --inh-caps +dac_override
        --ambient-caps +dac_override)
fi

# Sets DATABASE_URL.
start_postgres() {
    local programs data=$STATE/postgres port
    programs=$(postgres_programs)
    if [[ ! -d $data ]]; then
        mkdir -m 0700 "$data"
        if ((EUID == 0)); then
            chown postgres:postgres "$data"
        fi
        "${AS_POSTGRES[@]}" "$programs/initdb" -D "$data" -U proofline -E UTF8 --auth=trust --locale=C --no-sync \
            >"$STATE/initdb.log" 2>&1 || { cat "$STATE/initdb.log" >&2 && die "initdb failed"; }
    fi
    port=$(free_port)
    # No Unix socket: the path of a clone may be longer than a socket's address.
    start_process postgres "${AS_POSTGRES[@]}" "$programs/postgres" -D "$data" -c listen_addresses=127.0.0.1 -c "port=$port" \
        -c unix_socket_directories= -c max_connections=100 -c dynamic_shared_memory_type=mmap
    wait_ready postgres psql -qX -d "postgresql://proofline@127.0.0.1:$port/postgres" -c 'SELECT 1'
    export DATABASE_URL=postgresql://proofline@127.0.0.1:$port/proofline
    psql -qX -d "postgresql://proofline@127.0.0.1:$port/postgres" -c 'CREATE DATABASE proofline'
}
