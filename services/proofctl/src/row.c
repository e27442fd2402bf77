#include "row.h"

#include "base/hex.h"

json_t *ctl_row_json(const store_submission *row)
{
    return json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "sha256",
        base_sha256_hex(&row->sha256).text, "status", wire_status_name(row->status), "correlation_id",
        ctl_json_text(row->correlation_id), "reason_code", ctl_json_text(row->reason_code), "failure_reason",
        ctl_json_text(row->failure_reason), "transaction_id", ctl_json_text(row->transaction_id),
        "transaction_block_height", (json_int_t)row->transaction_block_height, "retries", (json_int_t)row->retries,
        "crashes", (json_int_t)row->crashes, "event_sequence", (json_int_t)row->event_sequence, "generate_attempts",
        (json_int_t)row->generate_attempts, "proofs_generated", (json_int_t)row->proofs_generated, "publish_attempts",
        (json_int_t)row->publish_attempts, "created_at", ctl_json_time(row->created_unix_ms), "updated_at",
        ctl_json_time(row->updated_unix_ms), "verified_at", ctl_json_time(row->verified_unix_ms), "failed_at",
        ctl_json_time(row->failed_unix_ms));
}
