#pragma once
/* Keeps the jobs in hand alive: a thread that publishes +WPI for each of them every ack wait / 3. */
#include "intake.h"

typedef struct broker_heartbeat {
    broker_intake *intake; /* borrowed */
    natsConnection *nats;
    pthread_t thread;
    pthread_mutex_t beating;    /* held while beats go out. Taken before the intake's lock, never inside it */
    uint64_t beats;             /* under the intake's lock */
    broker_condition condition; /* wakes the thread, guards what follows */
    bool quit, at_once, connected;
    int64_t interval_ms;
} broker_heartbeat;

BASE_MUST_CHECK base_code broker_heartbeat_start(broker_heartbeat *heartbeat, broker_intake *intake,
                                                 natsConnection *nats, base_error *err);
void broker_heartbeat_end(broker_heartbeat *heartbeat);

/* The durable's ack wait is known; takes effect at once. */
void broker_heartbeat_set_ack_wait(broker_heartbeat *heartbeat, int64_t ack_wait_ms);
/* The link came or went; a link that came back gets a beat at once. */
void broker_heartbeat_set_link(broker_heartbeat *heartbeat, bool connected);
/* Stops beating for the jobs in hand. None goes out after this returns, so a verdict cannot be followed by +WPI. */
void broker_heartbeat_release(broker_heartbeat *heartbeat);
