#pragma once
/* A submission as Postgres knows it, as JSON. */
#include "output.h"
#include "store/submissions.h"

/* The caller owns the value; NULL: no memory. */
json_t *ctl_row_json(const store_submission *row);
