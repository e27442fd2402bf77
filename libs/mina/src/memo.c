#include "mina/base58.h"
#include "mina/payment.h"

#include <string.h>

enum { TAG_DIGEST = 0, TAG_TEXT = 1, HEADER_SIZE = 2 };

base_code mina_memo_of(base_bytes text, mina_memo *ret, base_error *err)
{
    if (text.size > MINA_MEMO_TEXT_MAX)
        return base_fail(err, BASE_INVALID, "a memo has at most %d bytes, not %zu", MINA_MEMO_TEXT_MAX, text.size);
    mina_memo memo = {{TAG_TEXT, (uint8_t)text.size}};
    if (text.size > 0)
        memcpy(memo.bytes + HEADER_SIZE, text.data, text.size);
    *ret = memo;
    return BASE_OK;
}

base_bytes mina_memo_content(const mina_memo *memo)
{
    bool is_text = memo->bytes[0] == TAG_TEXT && memo->bytes[1] <= MINA_MEMO_TEXT_MAX;
    return base_bytes_of(memo->bytes + HEADER_SIZE, is_text ? memo->bytes[1] : 0);
}

mina_memo_text mina_memo_format(const mina_memo *memo)
{
    mina_memo_text text = {{0}};
    /* The size is fixed and the text has room for the greatest number of that size, so this cannot fail. */
    base_code code = mina_base58_encode(MINA_BASE58_MEMO, base_bytes_of(memo->bytes, sizeof(memo->bytes)), text.text,
                                        sizeof(text.text), NULL);
    (void)code;
    return text;
}

base_code mina_memo_parse(const char *text, mina_memo *ret, base_error *err)
{
    mina_memo memo = {{0}};
    base_code code = mina_base58_decode("memo", MINA_BASE58_MEMO, text, memo.bytes, sizeof(memo.bytes), err);
    if (code != BASE_OK)
        return code;
    if (memo.bytes[0] > TAG_TEXT || memo.bytes[1] > MINA_MEMO_TEXT_MAX)
        return base_fail(err, BASE_INVALID, "memo: unknown form");
    *ret = memo;
    return BASE_OK;
}
