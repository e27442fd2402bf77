#!/usr/bin/env bash
# fault_points.sh FILE...: finds calls that change something outside the process and have no fault point beside them, and says
# where and what to do. A function needs as many points (BASE_FAULT or BASE_FAULT_NAMED of base/fault.h) as it has such calls.
#
# Of the libs that talk to the world (store, broker, ledger) every call counts that is not listed here as one that only reads, makes
# or releases something of this process: a new function counts until somebody has thought about it.
set -euo pipefail

HARMLESS='^(store_(session|outbox|publish_batch|transaction_list)_(new|free|check|at|count|clear)'
HARMLESS+='|store_(outbox_(age_ms|find_stale|backlog)|submission_(count|get|list|statuses)|proof_load|migrate_status)'
HARMLESS+='|store_(claim_is_refused|lane_(check|still|holds_nonce|next_nonce)|transactions_find_(open|abandoned))'
HARMLESS+='|broker_(connection_(open|free|check)|consumer_.*|feed_.*|names_of|stored_.*)'
HARMLESS+='|broker_(stream_(get|next|read_state)|durable_read_state)'
HARMLESS+='|ledger_((anchor|null)_.*|answer_name|check|end|fee|fee_payer|find|find_account|free|make|publishes|transaction_done))$'

HARMLESS=$HARMLESS awk '
    BEGIN { harmless = ENVIRON["HARMLESS"] }
    FNR == 1 { split("", own) }
    # The beginning of a function, and the end of its head: clang-format puts both at the left margin.
    /^[a-z].*\(/ && !/;$/ {
        name = $0
        sub(/\(.*/, "", name)
        sub(/.*[ *]/, "", name)
        own[name] = 1
        calls = points = excused = 0
    }
    /^[ \t]/ {
        points += gsub(/BASE_FAULT(_NAMED)?\(/, "&")
        excused += /No fault point: ./
        text = $0
        gsub(/"[^"]*"|\/\*.*/, "", text)
        while (match(text, /(store|broker|ledger)_[a-z0-9_]+\(|stage_dead_publish\(|broker_topology_apply/)) {
            found = substr(text, RSTART, RLENGTH)
            before = RSTART == 1 ? "" : substr(text, RSTART - 1, 1)
            text = substr(text, RSTART + RLENGTH)
            sub(/\($/, "", found)
            if (before !~ /[A-Za-z0-9_]/ && !(found in own) && found !~ harmless)
                places[calls++] = FILENAME ":" FNR ": " found
        }
    }
    /^}/ && calls > points && !excused {
        for (i = 0; i < calls; i++)
            print places[i] " in " name "(), which has " points + 0 " fault points: put one beside it" \
                " (and say in tests/faults/labels how it comes to be passed), or a comment \"No fault point: <reason>\""
        bad = 1
    }
    /^}/ { calls = points = excused = 0 }
    END { exit bad }
' "$@"
