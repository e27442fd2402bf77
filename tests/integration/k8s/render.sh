#!/usr/bin/env bash
# render.sh SOURCE_DIR BIN_DIR: renders the Kubernetes base as `kubectl apply -k` would, and holds the result against what the
# programs say of themselves. Prints one line per check in cmocka's words, so that totals count them.
set -uo pipefail
SOURCE=$1
BIN=$2
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
# shellcheck source=tests/harness/checks.sh
. "$SOURCE/tests/harness/checks.sh"

# documents KIND [NAME]: the rendered objects of this kind.
documents() {
    awk -v kind="$1" -v name="${2:-}" '
        function flush() {
            if (text ~ "(^|\n)kind: " kind "\n" && (name == "" || text ~ "\n  name: " name "\n")) printf "%s---\n", text
            text = ""
        }
        /^---$/ { flush(); next }
        { text = text $0 "\n" }
        END { flush() }
    ' "$WORK/all.yaml"
}

count_of() {
    documents "$1" | grep -c "^kind: $1\$"
}

renders() {
    kubectl kustomize "$SOURCE/k8s/base" >"$WORK/all.yaml"
}

holds_every_object() {
    [[ $(count_of Namespace) == 1 && $(count_of ConfigMap) == 1 && $(count_of Deployment) == 2 &&
        $(count_of Job) == 2 && $(count_of Service) == 2 ]]
}

only_the_migration_has_the_owners_secret() {
    documents Job proofline-migrate | has_lines 'secretName: proofline-database-owner$' &&
        [[ $(grep -c 'secretName: proofline-database-owner$' "$WORK/all.yaml") == 1 ]] &&
        documents Deployment proofline-generator | has_lines 'secretName: proofline-database$' &&
        documents Deployment proofline-publisher | has_lines 'secretName: proofline-database$'
}

no_secret_is_in_it() {
    [[ $(count_of Secret) == 0 ]] && ! grep -qE 'postgresql://[^.]|EK[A-Za-z0-9]{50}' "$WORK/all.yaml"
}

# Every line of a pattern list is in the text on stdin.
has_lines() {
    local text line
    text=$(cat)
    for line in "$@"; do
        grep -qE -- "$line" <<<"$text" || { echo "missing: $line"; return 1; }
    done
}

pods_are_locked_down() {
    local name
    for name in generator publisher; do
        documents Deployment "proofline-$name" | has_lines 'runAsNonRoot: true' 'readOnlyRootFilesystem: true' \
            'allowPrivilegeEscalation: false' 'automountServiceAccountToken: false' 'memory: [0-9]+Mi' || return 1
    done
    for name in migrate topology; do
        documents Job "proofline-$name" | has_lines 'runAsNonRoot: true' 'readOnlyRootFilesystem: true' \
            'allowPrivilegeEscalation: false' 'automountServiceAccountToken: false' 'memory: [0-9]+Mi' || return 1
    done
}

services_are_probed() {
    local name
    for name in generator publisher; do
        documents Deployment "proofline-$name" | has_lines 'livenessProbe:' 'path: /healthz' 'readinessProbe:' \
            'path: /readyz' 'containerPort: [0-9]+' || return 1
    done
}

only_the_publisher_holds_the_fee_payer() {
    documents Deployment proofline-publisher | has_lines 'FEE_PAYER_PRIVATE_KEY_FILE' 'secretName: proofline-fee-payer' &&
        ! documents Deployment proofline-generator | grep -q fee-payer && ! documents Job | grep -q fee-payer
}

pods_outlive_the_orderly_stop() {
    local grace pod
    grace=$(documents ConfigMap | sed -n 's/^  SHUTDOWN_GRACE_S: "\([0-9]*\)"$/\1/p')
    for pod in $(documents Deployment | sed -n 's/^ *terminationGracePeriodSeconds: //p'); do
        [[ -n $grace ]] && ((pod > grace)) || return 1
    done
}

ports_are_those_that_the_services_listen_on() {
    local name port
    for name in generator publisher; do
        port=$(documents Deployment "proofline-$name" | sed -n 's/^ *- containerPort: //p')
        documents Deployment "proofline-$name" | grep -A 1 -- '- name: HTTP_PORT' | grep -q "value: \"$port\"" || return 1
        documents Service "proofline-$name-metrics" | has_lines "port: $port\$" "prometheus.io/port: \"$port\"" || return 1
    done
}

readme_names_folders_that_are_there() {
    local path paths
    mapfile -t paths < <(sed -n 's/^ *kubectl apply -[kf] //p' "$SOURCE/README.md")
    ((${#paths[@]} > 0)) || return 1
    for path in "${paths[@]}"; do
        [[ -e $SOURCE/$path ]] || { echo "README.md: no $path"; return 1; }
    done
    [[ -f $SOURCE/${paths[-1]}/kustomization.yaml ]]
}

# A setting that no program knows would be ignored without a word.
every_setting_is_known() {
    local name known
    known=$(for program in proofline-generator proofline-publisher proofctl; do "$BIN/$program" --help; done)
    for name in $(documents ConfigMap | sed -n 's/^  \([A-Z][A-Z_]*\): .*/\1/p') HTTP_PORT DATABASE_URL FEE_PAYER_PRIVATE_KEY; do
        grep -qE "(^|[^A-Z_])$name([^A-Z_]|\$)" <<<"$known" || { echo "unknown: $name"; return 1; }
    done
}

programs_are_ours() {
    local program programs
    mapfile -t programs < <(sed -n 's/^ *- \(proof[a-z-]*\)$/\1/p' "$WORK/all.yaml" | sort -u)
    for program in "${programs[@]}"; do
        [[ -x $BIN/$program ]] || { echo "no program: $program"; return 1; }
    done
    grep -q -- '- proofline-generator$' "$WORK/all.yaml"
}

test_that kustomize_renders_the_base renders
test_that the_base_holds_every_object holds_every_object
test_that only_the_migration_has_the_secret_of_the_tables_owner only_the_migration_has_the_owners_secret
test_that no_secret_is_in_the_base no_secret_is_in_it
test_that pods_are_locked_down_and_limited pods_are_locked_down
test_that services_have_probes services_are_probed
test_that only_the_publisher_holds_the_fee_payers_key only_the_publisher_holds_the_fee_payer
test_that pods_outlive_the_orderly_stop pods_outlive_the_orderly_stop
test_that ports_are_those_that_the_services_listen_on ports_are_those_that_the_services_listen_on
test_that the_readme_names_what_is_there readme_names_folders_that_are_there
test_that every_setting_is_known_to_a_program every_setting_is_known
test_that every_command_is_a_program_of_ours programs_are_ours

end_of_tests
