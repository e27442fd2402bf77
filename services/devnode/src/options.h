#pragma once
/* The command line of proofline-devnode. */
#include "devnode/node.h"

#include <stdio.h>

#define OPTIONS_FUNDS_MAX 64

typedef struct options_fund {
    mina_public_key key;
    uint64_t amount; /* nanomina */
} options_fund;

typedef struct options {
    const char *bind;
    uint16_t port;
    const char *port_file; /* NULL: none */
    node_options node;
    options_fund funds[OPTIONS_FUNDS_MAX];
    size_t fund_count;
    bool wants_help;
    bool wants_version;
} options;

/* Texts stay borrowed from argv. BASE_INVALID names the bad option. */
BASE_MUST_CHECK base_code options_parse(int argc, char **argv, options *ret, base_error *err);
void options_help(FILE *out);
