#pragma once
/* Translates what nats.c reports into this project's codes: the only place that does. */
#include "base/error.h"

#include <nats/nats.h>

base_code broker_code_of(natsStatus status);

/* "<what>: <nats.c's words>"; the words are the calling thread's last error of nats.c. */
base_code broker_fail(base_error *err, natsStatus status, const char *format, ...) BASE_PRINTF(3, 4);
