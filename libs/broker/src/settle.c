#include "settle.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CONFIRM_MS   5000
#define NAK_MAX      48
#define NS_PER_MS    1000000
#define DELAY_MS_MAX (INT64_MAX / NS_PER_MS)

_Static_assert(BROKER_INTAKE_MAX >= BROKER_BATCH_MAX, "what is queued fits two calls");

/* The word for a verdict; NULL when nothing is said. */
static const char *word_for(const broker_settlement *settlement, char nak[NAK_MAX])
{
    switch (settlement->verdict) {
    case BROKER_DONE:
        return "+ACK";
    case BROKER_DEAD:
        return "+TERM"; /* bare: a reason is understood from server 2.10.4 on only */
    case BROKER_RETRY:
        if (settlement->delay_ms <= 0)
            return "-NAK";
        snprintf(nak, NAK_MAX, "-NAK {\"delay\": %" PRId64 "}",
                 (settlement->delay_ms > DELAY_MS_MAX ? DELAY_MS_MAX : settlement->delay_ms) * NS_PER_MS);
        return nak;
    case BROKER_LEAVE:
        break;
    }
    return NULL;
}

/* Which counter a confirmed verdict adds to. */
static uint64_t *counter_of(broker_settle_counts *counts, broker_verdict verdict)
{
    switch (verdict) {
    case BROKER_DONE:
        return &counts->acked;
    case BROKER_RETRY:
        return &counts->retried;
    case BROKER_DEAD:
        return &counts->dead;
    case BROKER_LEAVE:
        break;
    }
    return &counts->left;
}

static bool say(broker_connection *connection, const broker_delivery *delivery, const char *word,
                const broker_call *call, size_t index)
{
    char reply[BROKER_REPLY_SUBJECT_MAX];
    broker_call_subject(call, index, reply);
    return natsConnection_PublishRequestString(broker_link_nats(connection), natsMsg_GetReply(delivery->message), reply,
                                               word) == NATS_OK;
}

static bool is_spoken(const broker_settlement *settlement)
{
    char nak[NAK_MAX];
    return word_for(settlement, nak) != NULL;
}

static void count_all(size_t count, const broker_settlement *settlements, const broker_call *call,
                      broker_settle_counts *counts)
{
    for (size_t i = 0; i < count; i++) {
        natsMsg *answer = call == NULL ? NULL : call->answers[i];
        if (!is_spoken(&settlements[i]))
            counts->left++;
        else if (answer != NULL && !natsMsg_IsNoResponders(answer))
            (*counter_of(counts, settlements[i].verdict))++;
        else
            counts->failures++;
    }
}

void broker_settle(broker_connection *connection, broker_delivery *const *batch, size_t count,
                   const broker_settlement *settlements, broker_settle_counts *counts)
{
    __attribute__((cleanup(broker_call_end_at))) broker_call call = {0};
    if (broker_connection_check(connection, NULL) != BASE_OK ||
        broker_call_begin(broker_link_replies(connection), count, &call, NULL) != BASE_OK) {
        count_all(count, settlements, NULL, counts);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        char nak[NAK_MAX];
        const char *word = word_for(&settlements[i], nak);
        if (word == NULL || !say(connection, batch[i], word, &call, i))
            broker_call_forgo(&call);
    }
    broker_link_flush(connection);
    (void)broker_call_wait(&call, base_monotonic_ms() + CONFIRM_MS); /* what is missing is counted below */
    broker_call_close(&call);
    count_all(count, settlements, &call, counts);
}
