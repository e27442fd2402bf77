#!/usr/bin/env bash
# fault_totals.sh LOG...: adds up what fault tests report in logs of ctest and prints it as one line of words:
# "51 fault points, 153 fault runs, 2 chaos runs, 31 kills, 9120 submissions, 0 violations"; nothing when none reported.
# Fails when a promise was violated or a report cannot be read, whatever became of the test that said so.
#
# A test reports by lines of its own on stdout, with any names of a-z and _, and whole numbers:
#   TOTAL chaos_runs=1 kills=12 restarts=9 submissions=4381 violations=0
# Values of one name are added over all lines and logs. The names keep the order in which they first came, but violations are last.
set -euo pipefail

awk '
    /^TOTAL / {
        for (i = 2; i <= NF; i++) {
            if ($i !~ /^[a-z_]+=[0-9]+$/) {
                print FILENAME ": not name=value: " $i >"/dev/stderr"
                bad = 1
                continue
            }
            split($i, pair, "=")
            if (!(pair[1] in sum) && pair[1] != "violations")
                names[count++] = pair[1]
            sum[pair[1]] += pair[2]
        }
    }
    function say(name, words) {
        words = name
        gsub("_", " ", words)
        line = line (line == "" ? "" : ", ") sum[name] " " words
    }
    END {
        for (i = 0; i < count; i++)
            say(names[i])
        if ("violations" in sum)
            say("violations")
        if (line != "")
            print line
        exit bad || sum["violations"] > 0
    }
' "$@"
