#!/usr/bin/env bash
# coverage.sh BUILD: what ran of libs/ and services/ since the counters of a build of preset `coverage` were last at zero.
# Prints a table by lib and service and names the files below 90 % of lines. Beside it, in BUILD:
#   coverage.csv    FILE,LINES,LINES_RUN,BRANCHES,BRANCHES_TAKEN
#   uncovered.txt   FILE:LINE:TEXT of each line that never ran
# A process that ends by SIGKILL or _exit leaves no counts: what it alone ran counts as not run. A source that was compiled
# into several programs counts once, as run when any of them ran it.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$(cd "$1" && pwd)

# gcov writes "COUNT:LINE:TEXT" for each line, with line 0 for the name of the source, and after a line its branches.
count() {
    find "$BUILD" -name '*.gcno' -print0 | sort -z | xargs -0 gcov --stdout --branch-probabilities --branch-counts \
        2> >(grep -v 'cannot open data file, assuming not executed' >&2) |
        awk -v root="$ROOT/" -v uncovered="$BUILD/uncovered.txt" '
        BEGIN { printf "" >uncovered }
        /^ *-: +0:Source:/ {
            file = substr($0, index($0, ":Source:") + 8)
            ours = index(file, root "libs/") == 1 || index(file, root "services/") == 1
            file = substr(file, length(root) + 1)
        }
        !ours { next }
        match($0, /^ *[-#=0-9]+[*]?: *[1-9][0-9]*:/) {
            split(substr($0, 1, RLENGTH), field, ":")
            line = field[2] + 0
            if (field[1] ~ /-$/)
                next
            text[file, line] = substr($0, RLENGTH + 1)
            ran[file, line] += field[1] + 0
            if (line > last[file])
                last[file] = line
        }
        /^branch +[0-9]+ / {
            if (!((file, line, $2) in taken))
                branches[file, line]++
            taken[file, line, $2] += $4 + 0
        }
        END {
            for (file in last) {
                lines = run = all_branches = all_taken = 0
                for (line = 1; line <= last[file]; line++) {
                    if (!((file, line) in ran))
                        continue
                    lines++
                    run += ran[file, line] > 0
                    if (ran[file, line] == 0)
                        print file ":" line ":" text[file, line] >uncovered
                    all_branches += branches[file, line]
                    for (i = 0; i < branches[file, line]; i++)
                        all_taken += taken[file, line, i] > 0
                }
                print file "," lines "," run "," all_branches "," all_taken
            }
        }'
}

table() {
    awk -F, '
        function percent(part, all) { return all == 0 ? 100 : 100 * part / all }
        function row(name) {
            printf "%-20s %7d %7d %6.1f %% %9d %7d %6.1f %%\n", name, sum[name, 2], sum[name, 3],
                percent(sum[name, 3], sum[name, 2]), sum[name, 4], sum[name, 5], percent(sum[name, 5], sum[name, 4])
        }
        {
            split($1, part, "/")
            name = part[1] "/" part[2]
            if (!(name in seen))
                names[++count] = name
            seen[name] = 1
            for (i = 2; i <= 5; i++) {
                sum[name, i] += $i
                sum["all", i] += $i
            }
            if (percent($3, $2) < 90)
                low[++lows] = sprintf("%6.1f %%  %s, %d of %d lines not run", percent($3, $2), $1, $2 - $3, $2)
        }
        END {
            if (count == 0) {
                print "no counters: build with preset coverage" >"/dev/stderr"
                exit 1
            }
            printf "%-20s %7s %7s %8s %9s %7s %8s\n", "", "lines", "run", "", "branches", "taken", ""
            for (i = 1; i <= count; i++)
                row(names[i])
            row("all")
            if (lows > 0)
                print "\nbelow 90 % of lines:"
            for (i = 1; i <= lows; i++)
                print low[i]
        }' "$1"
}

count | sort >"$BUILD/coverage.csv"
sort -t: -k1,1 -k2,2n -o "$BUILD/uncovered.txt" "$BUILD/uncovered.txt"
table "$BUILD/coverage.csv"
