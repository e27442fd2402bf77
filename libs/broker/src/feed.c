#include "broker/stream.h"

#include "ack_subject.h"
#include "link.h"
#include "nats_status.h"
#include "stored.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* The server keeps an ephemeral pull consumer without acknowledgements for us; its own count of deliveries shows every gap, upon
 * which a new consumer starts where the last message ended. Pulling bounds what is under way, so a slow reader loses nothing. */

#define PULL_BATCH       256
#define PULL_MS          5000
#define PULL_SLACK_MS    1000
#define LINK_POLL_MS     250 /* how often a wait looks whether the link came back */
#define INACTIVE_NS      ((json_int_t)300 * 1000000000)
#define NS_PER_MS        1000000
#define NAME_SIZE        256
#define INBOX_SIZE       64
#define API_SUBJECT_MAX  600
#define QUEUED_MAX       (4 * PULL_BATCH)
#define QUEUED_BYTES_MAX (4 * BROKER_STORED_MAX)

enum { STATUS_HEARTBEAT = 100, STATUS_NO_MESSAGES = 404, STATUS_TIMEOUT = 408, STATUS_CONFLICT = 409 };

struct broker_feed {
    broker_connection *connection; /* borrowed */
    broker_listener listener;
    natsSubscription *subscription;
    char inbox[INBOX_SIZE];
    char stream[NAME_SIZE], subject[NAME_SIZE];
    char consumer[NAME_SIZE];    /* named by the server; "" for none */
    uint64_t next_sequence;      /* everything before was handed out */
    uint64_t consumer_sequence;  /* of the last message of this consumer */
    uint64_t request;            /* number of the latest pull */
    size_t remaining;            /* messages that it may still bring */
    int64_t request_deadline_ms; /* after which it is over in any case */
    atomic_bool link_changed;    /* the server has forgotten the latest pull */
};

static inline void message_destroy_at(natsMsg **message)
{
    natsMsg_Destroy(*message);
}

static void on_link(void *ctx, bool connected)
{
    (void)connected;
    broker_feed *feed = ctx;
    atomic_store(&feed->link_changed, true);
}

static natsStatus subscribe(broker_feed *feed)
{
    natsInbox *inbox = NULL;
    natsStatus status = natsInbox_Create(&inbox);
    if (status != NATS_OK)
        return status;
    snprintf(feed->inbox, sizeof(feed->inbox), "%s", inbox);
    natsInbox_Destroy(inbox);
    char pattern[INBOX_SIZE + 2];
    snprintf(pattern, sizeof(pattern), "%s.*", feed->inbox);
    status = natsConnection_SubscribeSync(&feed->subscription, broker_link_nats(feed->connection), pattern);
    if (status == NATS_OK)
        status = natsSubscription_SetPendingLimits(feed->subscription, QUEUED_MAX, QUEUED_BYTES_MAX);
    return status;
}

/* Afterwards nothing of the old consumer arrives any more. It also ends by itself when nobody pulls. */
static void delete_consumer(broker_feed *feed)
{
    if (feed->consumer[0] == '\0')
        return;
    char subject[API_SUBJECT_MAX];
    snprintf(subject, sizeof(subject), "CONSUMER.DELETE.%s.%s", feed->stream, feed->consumer);
    BROKER_JSON *answer = NULL;
    (void)!broker_api(feed->connection, "end of a feed", subject, NULL, &answer, NULL);
    feed->consumer[0] = '\0';
    natsMsg *late = NULL;
    while (natsSubscription_NextMsg(&late, feed->subscription, 1) == NATS_OK)
        natsMsg_Destroy(late);
}

static base_code create_consumer(broker_feed *feed, base_error *err)
{
    delete_consumer(feed);
    char what[BASE_ERROR_MESSAGE];
    char subject[API_SUBJECT_MAX];
    snprintf(what, sizeof(what), "feed of stream %.64s", feed->stream);
    snprintf(subject, sizeof(subject), "CONSUMER.CREATE.%s", feed->stream);
    BROKER_JSON *request =
        json_pack("{s:s, s:{s:s, s:s, s:I, s:s, s:s, s:I, s:b, s:i}}", "stream_name", feed->stream, "config",
                  "ack_policy", "none", "deliver_policy", "by_start_sequence", "opt_start_seq",
                  (json_int_t)feed->next_sequence, "replay_policy", "instant", "filter_subject", feed->subject,
                  "inactive_threshold", INACTIVE_NS, "mem_storage", 1, "num_replicas", 1);
    if (request == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a feed");
    BROKER_JSON *answer = NULL;
    base_code code = broker_api(feed->connection, what, subject, request, &answer, err);
    if (code != BASE_OK)
        return code;
    const char *name = json_string_value(json_object_get(answer, "name"));
    if (name == NULL || strlen(name) >= sizeof(feed->consumer))
        return base_fail(err, BASE_INTERNAL, "%s: the server names no consumer", what);
    snprintf(feed->consumer, sizeof(feed->consumer), "%s", name);
    feed->consumer_sequence = 0;
    feed->remaining = 0;
    return BASE_OK;
}

static base_code start_position(broker_feed *feed, uint64_t start_sequence, base_error *err)
{
    broker_stream_state state;
    base_code code = broker_stream_read_state(feed->connection, feed->stream, &state, err);
    if (code == BASE_OK)
        feed->next_sequence = start_sequence == 0 ? state.last_sequence + 1 : start_sequence;
    return code;
}

base_code broker_feed_open(broker_connection *connection, const char *stream, const char *subject,
                           uint64_t start_sequence, broker_feed **ret, base_error *err)
{
    if (!broker_name_is_valid(stream) || subject == NULL || strlen(subject) >= NAME_SIZE)
        return base_fail(err, BASE_INVALID, "a feed needs the name of a stream and a subject");
    BASE_CLEANUP(broker_feed_free) broker_feed *feed = calloc(1, sizeof(*feed));
    if (feed == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a feed");
    feed->connection = connection;
    snprintf(feed->stream, sizeof(feed->stream), "%s", stream);
    snprintf(feed->subject, sizeof(feed->subject), "%s", subject);
    feed->listener = (broker_listener){.on_link = on_link, .ctx = feed};
    broker_link_listen(connection, &feed->listener);
    atomic_store(&feed->link_changed, false);
    natsStatus status = subscribe(feed);
    if (status != NATS_OK)
        return broker_link_failure(connection, broker_fail(err, status, "feed of stream %.64s", stream), err);
    base_code code = start_position(feed, start_sequence, err);
    if (code == BASE_OK)
        code = create_consumer(feed, err);
    if (code == BASE_OK)
        *ret = BASE_TAKE(feed);
    return code;
}

static base_code send_pull(broker_feed *feed, base_error *err)
{
    char subject[API_SUBJECT_MAX];
    char request[128];
    char reply[INBOX_SIZE + 24];
    feed->request++;
    snprintf(subject, sizeof(subject), "$JS.API.CONSUMER.MSG.NEXT.%s.%s", feed->stream, feed->consumer);
    snprintf(request, sizeof(request), "{\"batch\":%d,\"expires\":%" PRId64 ",\"max_bytes\":%d}", PULL_BATCH,
             (int64_t)PULL_MS * NS_PER_MS, BROKER_STORED_MAX);
    snprintf(reply, sizeof(reply), "%s.%" PRIu64, feed->inbox, feed->request);
    natsStatus status =
        natsConnection_PublishRequestString(broker_link_nats(feed->connection), subject, reply, request);
    if (status != NATS_OK)
        return broker_fail(err, status, "feed of stream %.64s", feed->stream);
    broker_link_flush(feed->connection);
    feed->remaining = PULL_BATCH;
    feed->request_deadline_ms = base_monotonic_ms() + PULL_MS + PULL_SLACK_MS;
    return BASE_OK;
}

/* Sees to it that a pull is open at the server. */
static base_code ensure_pull(broker_feed *feed, base_error *err)
{
    base_code code = broker_connection_check(feed->connection, err);
    if (code != BASE_OK)
        return code;
    /* A server that restarted has lost the consumer, and says nothing to pulls from one that does not exist. */
    bool silent = feed->remaining > 0 && base_monotonic_ms() > feed->request_deadline_ms;
    if (atomic_exchange(&feed->link_changed, false) || silent)
        delete_consumer(feed);
    if (feed->consumer[0] == '\0')
        code = create_consumer(feed, err);
    if (code == BASE_OK && feed->remaining == 0)
        code = send_pull(feed, err);
    return code;
}

static void read_status(broker_feed *feed, natsMsg *message)
{
    const char *number = NULL;
    const char *text = NULL;
    const char *subject = natsMsg_GetSubject(message);
    const char *dot = strrchr(subject, '.');
    if (natsMsgHeader_Get(message, "Status", &number) != NATS_OK || dot == NULL ||
        strtoull(dot + 1, NULL, 10) != feed->request)
        return; /* of an earlier pull */
    (void)natsMsgHeader_Get(message, "Description", &text);
    int status = (int)strtol(number, NULL, 10);
    if (status == STATUS_HEARTBEAT)
        return;
    feed->remaining = 0;
    bool in_order = status == STATUS_NO_MESSAGES || status == STATUS_TIMEOUT ||
                    (status == STATUS_CONFLICT && text != NULL && strstr(text, "MaxBytes") != NULL);
    if (!in_order)
        feed->consumer[0] = '\0'; /* deleted, or lost with its server: the next turn makes a new one */
}

static base_code copy_headers(natsMsg *message, broker_stored *ret, base_error *err)
{
    const char **keys = NULL;
    int count = 0;
    natsStatus status = natsMsgHeader_Keys(message, &keys, &count);
    if (status == NATS_NOT_FOUND)
        return BASE_OK; /* none */
    if (status != NATS_OK)
        return broker_fail(err, status, "headers of a message");
    base_code code = BASE_OK;
    for (int i = 0; i < count && code == BASE_OK; i++) {
        const char *value = "";
        (void)natsMsgHeader_Get(message, keys[i], &value); /* of a key without a value there is none */
        code = broker_stored_add_header(ret, base_bytes_of(keys[i], strlen(keys[i])),
                                        base_bytes_of(value, strlen(value)), err);
    }
    free(keys);
    return code;
}

static base_code copy_message(natsMsg *message, const broker_delivery_facts *facts, broker_stored *ret, base_error *err)
{
    BASE_CLEANUP(broker_stored_done)
    broker_stored copy = {
        .sequence = facts->stream_sequence,
        .stored_unix_ns = facts->stored_unix_ns,
        .subject = strdup(natsMsg_GetSubject(message)),
        .payload = {.limit = BROKER_STORED_MAX},
    };
    if (copy.subject == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a message");
    base_bytes payload = base_bytes_of(natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message));
    base_code code = base_buffer_append(&copy.payload, payload, err);
    if (code == BASE_OK)
        code = copy_headers(message, &copy, err);
    if (code != BASE_OK)
        return code;
    *ret = copy;
    copy = (broker_stored){0};
    return BASE_OK;
}

/* True when *message is the next one to hand out. A gap means that one was lost on the way. */
static bool is_next(broker_feed *feed, const broker_delivery_facts *facts)
{
    if (feed->remaining > 0)
        feed->remaining--;
    if (facts->consumer_sequence != feed->consumer_sequence + 1) {
        delete_consumer(feed);
        return false;
    }
    feed->consumer_sequence = facts->consumer_sequence;
    return facts->stream_sequence >= feed->next_sequence;
}

/* One that cannot be copied is not passed over: a new consumer brings it again. */
static base_code hand_out(broker_feed *feed, natsMsg *message, const broker_delivery_facts *facts, broker_stored *ret,
                          base_error *err)
{
    base_code code = copy_message(message, facts, ret, err);
    if (code == BASE_OK)
        feed->next_sequence = facts->stream_sequence + 1;
    else
        delete_consumer(feed);
    return code;
}

base_code broker_feed_next(broker_feed *feed, int64_t timeout_ms, broker_stored *ret, base_error *err)
{
    int64_t deadline_ms = base_monotonic_ms() + timeout_ms;
    for (;;) {
        base_error detail;
        base_code code = ensure_pull(feed, &detail);
        if (code != BASE_OK && code != BASE_UNAVAILABLE && code != BASE_TIMEOUT)
            return base_fail(err, code, "%s", detail.message);
        int64_t left_ms = deadline_ms - base_monotonic_ms();
        if (left_ms > LINK_POLL_MS)
            left_ms = LINK_POLL_MS;
        __attribute__((cleanup(message_destroy_at))) natsMsg *message = NULL;
        natsStatus status = natsSubscription_NextMsg(&message, feed->subscription, left_ms < 1 ? 1 : left_ms);
        if (status != NATS_OK && status != NATS_TIMEOUT && status != NATS_SLOW_CONSUMER)
            return broker_fail(err, status, "feed of stream %.64s", feed->stream);
        broker_delivery_facts facts;
        if (message != NULL && !broker_ack_subject_parse(natsMsg_GetReply(message), &facts))
            read_status(feed, message);
        else if (message != NULL && is_next(feed, &facts))
            return hand_out(feed, message, &facts, ret, err);
        bool over = message == NULL && base_monotonic_ms() >= deadline_ms;
        if (over && code != BASE_OK)
            return base_fail(err, BASE_UNAVAILABLE, "%s", detail.message);
        if (over)
            return base_fail(err, BASE_TIMEOUT, "no message in stream %.64s within %lld ms", feed->stream,
                             (long long)timeout_ms);
    }
}

void broker_feed_free(broker_feed *feed)
{
    if (feed == NULL)
        return;
    broker_link_unlisten(feed->connection, &feed->listener);
    if (feed->subscription != NULL) {
        delete_consumer(feed);
        /* The server must have stopped sending before nats.c 3.4.1 destroys a subscription. */
        (void)natsSubscription_Unsubscribe(feed->subscription);
        broker_link_flush(feed->connection);
        natsSubscription_Destroy(feed->subscription);
    }
    free(feed);
}
