#include "base/text.h"
#include "codec.h"
#include "proofline/v1/events.pb-c.h"
#include "rules.h"
#include "wire/messages.h"

#include <string.h>

#define SAME_NUMBER(name)                                                                                              \
    _Static_assert((int)WIRE_STATUS_##name == (int)PROOFLINE__V1__SUBMISSION_STATUS__SUBMISSION_STATUS_##name,         \
                   #name " has another number in events.proto")
SAME_NUMBER(AWAITING_REVIEW);
SAME_NUMBER(PROOF_GENERATION);
SAME_NUMBER(PROOF_PUBLISHING);
SAME_NUMBER(COMPLETE);
SAME_NUMBER(REJECTED);

static base_code check_status(const char *field, int status, wire_status first, base_error *err)
{
    if (status < (int)first || status > (int)WIRE_STATUS_REJECTED)
        return base_fail(err, BASE_INVALID, "%s must be a known status, not %d", field, status);
    return BASE_OK;
}

/* Which fields belong to which status. */
static base_code check_presence(const wire_status_changed *message, base_error *err)
{
    bool rejected = message->status == WIRE_STATUS_REJECTED;
    if (rejected && message->reason_code[0] == '\0')
        return base_fail(err, BASE_INVALID, "reason_code must not be empty when the status is rejected");
    if (!rejected && message->reason_code[0] != '\0')
        return base_fail(err, BASE_INVALID, "reason_code must be empty unless the status is rejected");
    if (!rejected && message->reason[0] != '\0')
        return base_fail(err, BASE_INVALID, "reason must be empty unless the status is rejected");
    if (message->status != WIRE_STATUS_COMPLETE && message->transaction_hash[0] != '\0')
        return base_fail(err, BASE_INVALID, "transaction_hash must be empty unless the status is complete");
    return BASE_OK;
}

/* Everything but the reason. */
static base_code check_values(const wire_status_changed *message, base_error *err)
{
    base_code code = wire_check_text(&WIRE_RULE_CORRELATION_ID, message->correlation_id, err);
    if (code == BASE_OK && message->sequence == 0)
        code = base_fail(err, BASE_INVALID, "sequence must be at least 1");
    if (code == BASE_OK)
        code = check_status("status", (int)message->status, WIRE_STATUS_AWAITING_REVIEW, err);
    if (code == BASE_OK)
        code = check_status("previous_status", (int)message->previous_status, WIRE_STATUS_NONE, err);
    if (code == BASE_OK)
        code = wire_check_text(&WIRE_RULE_REASON_CODE, message->reason_code, err);
    if (code == BASE_OK)
        code = wire_check_text(&WIRE_RULE_TRANSACTION_HASH, message->transaction_hash, err);
    if (code == BASE_OK)
        code = wire_check_time("occurred_at_unix_ms", message->occurred_unix_ms, err);
    if (code == BASE_OK)
        code = check_presence(message, err);
    return code;
}

static base_code take_message(const Proofline__V1__SubmissionStatusChanged *from, wire_status_changed *ret,
                              base_error *err)
{
    base_code code = wire_take_bytes("sha256", wire_bytes(from->sha256), ret->sha256.bytes, BASE_SHA256_SIZE, err);
    if (code == BASE_OK)
        code = wire_take_text(&WIRE_RULE_CORRELATION_ID, from->correlation_id, ret->correlation_id, err);
    ret->sequence = from->sequence;
    if (code == BASE_OK)
        code = check_status("status", (int)from->status, WIRE_STATUS_AWAITING_REVIEW, err);
    if (code == BASE_OK)
        code = check_status("previous_status", (int)from->previous_status, WIRE_STATUS_NONE, err);
    if (code == BASE_OK)
        code = wire_take_text(&WIRE_RULE_REASON_CODE, from->reason_code, ret->reason_code, err);
    if (code == BASE_OK)
        code = wire_check_line("reason", from->reason, WIRE_REASON_MAX, err);
    if (code == BASE_OK)
        code = wire_take_text(&WIRE_RULE_TRANSACTION_HASH, from->transaction_hash, ret->transaction_hash, err);
    if (code != BASE_OK)
        return code;
    memcpy(ret->reason, from->reason, strlen(from->reason) + 1);
    ret->status = (wire_status)from->status;
    ret->previous_status = (wire_status)from->previous_status;
    ret->occurred_unix_ms = from->occurred_at_unix_ms;
    return check_values(ret, err);
}

base_code wire_status_changed_decode(base_bytes data, wire_status_changed *ret, base_error *err)
{
    BASE_CLEANUP(wire_unpacked_done) wire_unpacked unpacked;
    wire_status_changed message = {0};
    base_code code = wire_unpack(&proofline__v1__submission_status_changed__descriptor, data, &unpacked, err);
    if (code == BASE_OK)
        code = take_message((const Proofline__V1__SubmissionStatusChanged *)unpacked.message, &message, err);
    if (code == BASE_OK)
        *ret = message;
    return code;
}

base_code wire_status_changed_encode(const wire_status_changed *message, base_buffer *ret, base_error *err)
{
    base_code code = check_values(message, err);
    if (code == BASE_OK && strnlen(message->reason, sizeof(message->reason)) > WIRE_REASON_MAX)
        code = base_fail(err, BASE_INVALID, "reason must be at most %d bytes long", WIRE_REASON_MAX);
    if (code != BASE_OK)
        return code;
    char reason[WIRE_REASON_MAX + 1];
    base_one_line(message->reason, reason, sizeof(reason));
    Proofline__V1__SubmissionStatusChanged out = PROOFLINE__V1__SUBMISSION_STATUS_CHANGED__INIT;
    out.sha256 = wire_binary(message->sha256.bytes, BASE_SHA256_SIZE);
    out.correlation_id = wire_string(message->correlation_id);
    out.occurred_at_unix_ms = message->occurred_unix_ms;
    out.sequence = message->sequence;
    out.status = (Proofline__V1__SubmissionStatus)message->status;
    out.previous_status = (Proofline__V1__SubmissionStatus)message->previous_status;
    out.reason_code = wire_string(message->reason_code);
    out.reason = reason;
    out.transaction_hash = wire_string(message->transaction_hash);
    return wire_pack(&out.base, ret, err);
}
