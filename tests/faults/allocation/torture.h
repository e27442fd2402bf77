#pragma once
/* Runs an operation once with its first allocation failing, once with its second, and so on, until one run has none left to fail. */
#include "allocation.h"
#include "base/error.h"

/* Makes something, uses it and releases it. It must end well or with an error, whatever fails, and leave its results untouched then. */
typedef base_code torture_operation(void *ctx, base_error *err);

/* Fails the test when the operation ends with another error than BASE_NO_MEMORY (want of memory must not pass for a verdict on what was
 * given), when it fails though nothing was withheld, also right after such an error, or when something leaked. `name` is for messages. */
void torture(const char *name, uint32_t owners, torture_operation *operation, void *ctx);
/* The same where a foreign library keeps for itself why it failed: also BASE_UNAVAILABLE, BASE_INTERNAL, BASE_TIMEOUT, BASE_AMBIGUOUS. */
void torture_loosely(const char *name, uint32_t owners, torture_operation *operation, void *ctx);

/* A value for results, to see whether a failure has touched them. */
extern char torture_untouched[];
#define TORTURE_UNTOUCHED ((void *)torture_untouched)

/* Fails the test unless `condition`, with the place of the allocation that failed. */
#define TORTURE_CHECK(condition) torture_check((condition), #condition)
void torture_check(bool condition, const char *text);

/* Prints how many operations there were, and in how many runs an allocation failed. */
void torture_print_totals(void);
