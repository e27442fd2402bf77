#include "torture.h"

#include "harness/wait.h"

enum { RUNS_MAX = 20000, LEAK_CHECK_RUNS = 500 };

char torture_untouched[1];

static size_t operations, failures;

/* Of AddressSanitizer; without it nobody looks for leaks. */
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static void check_leaks(const char *name, uint64_t run)
{
    if (__lsan_do_recoverable_leak_check != NULL && __lsan_do_recoverable_leak_check() != 0)
        harness_fail("%s: something leaked, at the latest with failing allocation %llu", name, (unsigned long long)run);
}

_Noreturn static void blame(const char *name, uint64_t run, const char *what, const char *why)
{
    fprintf(stderr, "%s, with allocation %llu failing here:\n", name, (unsigned long long)run);
    allocation_print_place(stderr);
    harness_fail("%s, with allocation %llu failing: %s: %s", name, (unsigned long long)run, what, why);
}

static const char *current_name;
static uint64_t current_run;

void torture_check(bool condition, const char *text)
{
    if (condition)
        return;
    if (!allocation_stop())
        harness_fail("%s: %s", current_name, text);
    blame(current_name, current_run, "not so", text);
}

static bool is_allowed(base_code code, bool loosely)
{
    if (code == BASE_NO_MEMORY)
        return true;
    return loosely &&
           (code == BASE_UNAVAILABLE || code == BASE_INTERNAL || code == BASE_TIMEOUT || code == BASE_AMBIGUOUS);
}

/* What could not be done for want of memory can be done as soon as there is some. */
static void repeat(const char *name, torture_operation *operation, void *ctx)
{
    base_error err = {0};
    allocation_fail_nth(0, 1); /* nobody's */
    base_code code = operation(ctx, &err);
    (void)allocation_stop();
    if (code != BASE_OK)
        blame(name, current_run, "and then not any more with all memory", err.message);
}

static void run_all(const char *name, uint32_t owners, torture_operation *operation, void *ctx, bool loosely)
{
    current_name = name;
    operations++;
    for (uint64_t run = 1; run <= RUNS_MAX; run++) {
        base_error err = {0};
        current_run = run;
        allocation_fail_nth(owners, run);
        base_code code = operation(ctx, &err);
        bool failed = allocation_stop();
        if (!failed && code != BASE_OK)
            harness_fail("%s fails though it has all memory: %s: %s", name, base_code_name(code), err.message);
        if (!failed && run == 1)
            harness_fail("%s allocates nothing: nothing was tested", name);
        if (!failed) {
            check_leaks(name, run);
            printf("%-40s %5llu allocations\n", name, (unsigned long long)run - 1);
            return;
        }
        failures++;
        if (code != BASE_OK && (!is_allowed(code, loosely) || err.code != code || err.message[0] == '\0'))
            blame(name, run, base_code_name(code), err.message);
        if (code != BASE_OK)
            repeat(name, operation, ctx);
        if (run % LEAK_CHECK_RUNS == 0)
            check_leaks(name, run);
    }
    harness_fail("%s allocates more than %d times", name, RUNS_MAX);
}

void torture(const char *name, uint32_t owners, torture_operation *operation, void *ctx)
{
    run_all(name, owners, operation, ctx, false);
}

void torture_loosely(const char *name, uint32_t owners, torture_operation *operation, void *ctx)
{
    run_all(name, owners, operation, ctx, true);
}

void torture_print_totals(void)
{
    printf("%zu operations, %zu failed allocations\n", operations, failures);
}
