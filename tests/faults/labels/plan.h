#pragma once
/* The fault points of one program, each broken in one way by a test of its own, judged by the checker, and added up.
 *
 * The points are those that the program itself names by --fault-points: a new one is tested from the day it is compiled in, and
 * fails its test as long as nobody has said how it comes to be passed. A test program is built for each FAULT_ACTION (exit,
 * error, stall), and takes every FAULT_PARTS-th point from number FAULT_PART on, so that several share the work. */
#include "pipeline.h"

enum { LABELS_POINT_MAX = 96, LABELS_ARM_MAX = LABELS_POINT_MAX + 48 };

typedef enum labels_action { LABELS_EXIT, LABELS_ERROR, LABELS_STALL } labels_action;
labels_action labels_what(void);

/* Runs `test` once for each point, its *state, and prints the totals; the exit code for main. */
int labels_run_all(const char *program, void (*test)(void **state));
/* Shared by all tests of the program. */
harness_postgres *labels_cluster(void);

/* "PROOFLINE_FAULT=<point>:<action>" with the action of this program, or another one. */
const char *labels_arm(char text[LABELS_ARM_MAX], const char *point, const char *action);
const char *labels_arm_here(char text[LABELS_ARM_MAX], const char *point);

/* Waits until the point acts; a program that is told to die is dead then, and one that is told to stall stands still. */
void labels_wait_act(harness_process *armed);
/* Lets one that stands still go on, and waits until it does. */
void labels_wake(harness_process *armed);

/* Fails the test when a promise is broken, and counts it. */
void labels_check(pipeline *p, const pipeline_outcome *expected);
