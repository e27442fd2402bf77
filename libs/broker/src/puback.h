#pragma once
/* Reads JetStream's answer to a publish. */
#include "broker/publish.h"

/* JSON of at most some hundred bytes. Fills *ret; on failure *err says the server's words. Returns ret->code. */
BASE_MUST_CHECK base_code broker_puback_parse(base_bytes json, broker_publish_result *ret, base_error *err);
