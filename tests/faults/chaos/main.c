/* proofline-chaos: a whole Proofline under load and faults drawn from a seed, and the checker at the end. */
#include "act.h"
#include "options.h"
#include "remains.h"
#include "verdict.h"

#include "base/clock.h"
#include "harness/wait.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TICK_MS = 20, SAY_MS = 15000 };

/* The beginning or the end of a fault. */
typedef struct step {
    int64_t at_ms;
    const chaos_fault *fault;
    bool begins;
} step;

static int by_time(const void *a, const void *b)
{
    const step *first = a;
    const step *second = b;
    if (first->at_ms != second->at_ms)
        return first->at_ms < second->at_ms ? -1 : 1;
    return (int)first->begins - (int)second->begins;
}

/* The caller frees the list. */
static step *make_steps(const chaos_schedule *schedule, size_t *ret_count)
{
    step *steps = calloc(2 * schedule->count + 1, sizeof(*steps));
    if (steps == NULL)
        harness_fail("out of memory");
    *ret_count = 0;
    for (size_t i = 0; i < schedule->count; i++) {
        const chaos_fault *fault = &schedule->list[i];
        steps[(*ret_count)++] = (step){fault->at_ms, fault, true};
        if (fault->duration_ms > 0)
            steps[(*ret_count)++] = (step){fault->at_ms + fault->duration_ms, fault, false};
    }
    qsort(steps, *ret_count, sizeof(*steps), by_time);
    return steps;
}

/* What was really done and when, for whoever reads the services' logs beside it. */
static void take_step(world *w, const step *taken, FILE *log)
{
    fprintf(log, "%s %s%s\n", base_time_rfc3339(base_unix_ms()).text,
            taken->begins ? "" : "over: ", chaos_fault_describe(taken->fault).text);
    fflush(log);
    if (taken->begins)
        act_begin(w, taken->fault);
    else
        act_end(w, taken->fault);
}

static size_t tend(world *w)
{
    size_t violations = 0;
    for (int i = 0; i < CHAOS_SERVICES; i++)
        violations += replica_tend(&w->services[i]);
    return violations;
}

static size_t run_schedule(world *w, const chaos_schedule *schedule, int64_t duration_ms)
{
    size_t count, next = 0, violations = 0;
    BASE_CLEANUP(free) step *steps = make_steps(schedule, &count);
    harness_path path = harness_path_in(&w->folder, "faults");
    FILE *log = fopen(path.text, "we");
    if (log == NULL)
        harness_fail("cannot write %s", path.text);
    int64_t start_ms = base_monotonic_ms();
    int64_t said_ms = start_ms;
    for (int64_t now_ms; (now_ms = base_monotonic_ms()) - start_ms < duration_ms;) {
        while (next < count && start_ms + steps[next].at_ms <= base_monotonic_ms())
            take_step(w, &steps[next++], log);
        violations += tend(w);
        if (now_ms - said_ms > SAY_MS) {
            printf("%lld s, %zu of %zu steps\n", (long long)(now_ms - start_ms) / 1000, next, count);
            fflush(stdout);
            said_ms = now_ms;
        }
        base_sleep_ms(TICK_MS);
    }
    fclose(log);
    return violations;
}

typedef struct outage_totals {
    uint64_t kills, pauses, restarts, cuts, node_faults, server_outages;
} outage_totals;

static outage_totals count_outages(world *w, const chaos_schedule *schedule)
{
    outage_totals totals = {0};
    for (int i = 0; i < CHAOS_SERVICES; i++) {
        totals.kills += w->services[i].kills;
        totals.pauses += w->services[i].pauses;
        totals.restarts += w->services[i].starts - 1;
    }
    for (int i = 0; i < CHAOS_LINKS; i++)
        if (w->links[i] != NULL)
            totals.cuts += harness_proxy_read_counts(w->links[i]).cut;
    for (size_t i = 0; i < schedule->count; i++) {
        chaos_kind kind = schedule->list[i].kind;
        totals.node_faults += kind == CHAOS_NODE_FAULT;
        totals.server_outages += kind >= CHAOS_NATS_STOP && kind <= CHAOS_NODE_PAUSE;
    }
    return totals;
}

static void print_totals(const chaos_options *options, const chaos_schedule *schedule, const outage_totals *o,
                         const verdict *v)
{
    printf("seed %llu, %g minutes: %zu submissions (%zu forged), %zu duplicates, %zu undecodable; %zu complete, %zu "
           "rejected; "
           "%llu kills, %llu stops beyond the ack wait, %llu restarts, %llu server outages, %llu connections cut, %llu "
           "node faults, "
           "%lld redeliveries, %lld transactions, at most %lld crashes and %lld retries of one submission, %zu "
           "violations\n",
           (unsigned long long)options->seed, options->minutes, v->submissions, v->forged, v->duplicates, v->garbage,
           v->complete, v->rejected, (unsigned long long)o->kills, (unsigned long long)o->pauses,
           (unsigned long long)o->restarts, (unsigned long long)o->server_outages, (unsigned long long)o->cuts,
           (unsigned long long)o->node_faults, (long long)v->redeliveries, (long long)v->transactions,
           (long long)v->max_crashes, (long long)v->max_retries, v->violations);
    printf("TOTAL chaos_runs=1 kills=%llu stops=%llu restarts=%llu outages=%llu cuts=%llu submissions=%zu "
           "violations=%zu\n",
           (unsigned long long)o->kills, (unsigned long long)o->pauses, (unsigned long long)o->restarts,
           (unsigned long long)(o->server_outages + o->node_faults), (unsigned long long)o->cuts, v->submissions,
           v->violations);
    printf("{\"seed\":%llu,\"minutes\":%g,\"schedule\":\"%016llx\",\"faults\":%zu,\"submissions\":%zu,\"forged\":%zu,"
           "\"duplicates\":%zu,\"undecodable\":%zu,\"complete\":%zu,\"rejected\":%zu,\"kills\":%llu,\"stops\":%llu,"
           "\"restarts\":%llu,"
           "\"server_outages\":%llu,\"cuts\":%llu,\"node_faults\":%llu,\"redeliveries\":%lld,\"transactions\":%lld,"
           "\"max_crash_count\":%lld,\"max_retry_count\":%lld,\"violations\":%zu}\n",
           (unsigned long long)options->seed, options->minutes, (unsigned long long)schedule->hash, schedule->count,
           v->submissions, v->forged, v->duplicates, v->garbage, v->complete, v->rejected, (unsigned long long)o->kills,
           (unsigned long long)o->pauses, (unsigned long long)o->restarts, (unsigned long long)o->server_outages,
           (unsigned long long)o->cuts, (unsigned long long)o->node_faults, (long long)v->redeliveries,
           (long long)v->transactions, (long long)v->max_crashes, (long long)v->max_retries, v->violations);
}

static bool run(const chaos_options *options, const chaos_schedule *schedule)
{
    static world w;
    verdict result = {0};
    int64_t duration_ms = (int64_t)(options->minutes * 60000);
    world_start(&w);
    BASE_CLEANUP(load_free) load *l = load_new(w.broker, &w.names, options->seed, options->per_second);
    result.violations += run_schedule(&w, schedule, duration_ms);
    act_heal(&w);
    load_stop(l);
    result.violations += verdict_wait_quiet(&w, l);
    for (int i = 0; i < CHAOS_SERVICES; i++)
        result.violations += !replica_end(&w.services[i]);
    for (int i = 0; i < CHAOS_SERVICES; i++)
        result.violations += w.services[i].reports;
    verdict_judge(&w, l, &result);
    outage_totals outages = count_outages(&w, schedule);
    print_totals(options, schedule, &outages, &result);
    fflush(stdout);
    if (result.violations > 0)
        remains_keep(&w, options->keep);
    world_done(&w);
    return result.violations == 0;
}

int main(int argc, char **argv)
{
    chaos_options options;
    base_error err = {0};
    chaos_options_read(argc, argv, &options);
    chaos_schedule schedule = chaos_schedule_draw(options.seed, (int64_t)(options.minutes * 60000));
    printf("seed %llu, %g minutes\n", (unsigned long long)options.seed, options.minutes);
    chaos_schedule_print(&schedule, stdout);
    fflush(stdout);
    if (!options.only_print && base_process_harden(&err) != BASE_OK)
        harness_fail("start: %s", err.message);
    bool good = options.only_print || run(&options, &schedule);
    chaos_schedule_done(&schedule);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
