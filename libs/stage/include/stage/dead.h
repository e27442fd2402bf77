#pragma once
/* Dead letters for messages that belong to no submission: undecodable ones, or those naming an unknown one. */
#include "broker/consumer.h"

#define STAGE_GENERATE "generate"
#define STAGE_PUBLISH  "publish"

/* Stores the original bytes of `job` with their facts on `<subject_dead>.<stage>` and waits for the acknowledgement. `code` is
 * stable and for programs, `reason` is for people. The same message gives the same message id, so that a repetition within
 * the dedupe window is stored once. Of a message as large as the server takes, the end gives way to the facts; the jobs stream
 * still has it whole. */
BASE_MUST_CHECK base_code stage_dead_publish(broker_connection *broker, const char *subject_dead, const char *stage,
                                             const broker_job *job, const char *code, const char *reason,
                                             base_error *err);
