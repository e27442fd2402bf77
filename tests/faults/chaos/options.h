#pragma once
/* The command line of proofline-chaos. */
#include <stdbool.h>
#include <stdint.h>

typedef struct chaos_options {
    uint64_t seed;
    double minutes, per_second;
    bool only_print;
    char keep[256]; /* folder for the logs of a run with violations */
} chaos_options;

/* Ends the program on --help and on what it does not understand. */
void chaos_options_read(int argc, char **argv, chaos_options *ret);
