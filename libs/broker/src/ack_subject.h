#pragma once
/* Reads what the server says of a delivered message in its reply subject, $JS.ACK.… (ADR-15). */
#include <stdbool.h>
#include <stdint.h>

typedef struct broker_delivery_facts {
    uint64_t deliveries;
    uint64_t stream_sequence;
    uint64_t consumer_sequence;
    int64_t stored_unix_ns;
    uint64_t pending;
} broker_delivery_facts;

/* $JS.ACK.<stream>.<durable>.<deliveries>.<stream seq>.<consumer seq>.<ns>.<pending>, or the longer form with <domain>.<account>
 * before the stream and possibly more tokens at the end. False when it is neither. */
bool broker_ack_subject_parse(const char *subject, broker_delivery_facts *ret);
