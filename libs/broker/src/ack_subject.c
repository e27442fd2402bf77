#include "ack_subject.h"

#include <stddef.h>
#include <string.h>

#define PREFIX       "$JS.ACK."
#define SHORT_TOKENS 9 /* all told; the numbers start at the fifth */
#define LONG_TOKENS  11
#define TOKENS_MAX   16

static size_t split(const char *text, const char *tokens[TOKENS_MAX])
{
    size_t count = 1;
    tokens[0] = text;
    for (; *text != '\0'; text++) {
        if (*text != '.')
            continue;
        if (count == TOKENS_MAX)
            return 0;
        tokens[count++] = text + 1;
    }
    return count;
}

static bool parse_number(const char *token, uint64_t *ret)
{
    uint64_t value = 0;
    const char *at = token;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (at == token || (*at != '.' && *at != '\0'))
        return false;
    *ret = value;
    return true;
}

bool broker_ack_subject_parse(const char *subject, broker_delivery_facts *ret)
{
    if (subject == NULL || strncmp(subject, PREFIX, sizeof(PREFIX) - 1) != 0)
        return false;
    const char *tokens[TOKENS_MAX];
    size_t count = split(subject, tokens);
    if (count != SHORT_TOKENS && count < LONG_TOKENS)
        return false;
    size_t first = count == SHORT_TOKENS ? 4 : 6;
    broker_delivery_facts facts = {0};
    uint64_t stored = 0;
    if (!parse_number(tokens[first], &facts.deliveries) || !parse_number(tokens[first + 1], &facts.stream_sequence) ||
        !parse_number(tokens[first + 2], &facts.consumer_sequence) || !parse_number(tokens[first + 3], &stored) ||
        !parse_number(tokens[first + 4], &facts.pending) || stored > INT64_MAX)
        return false;
    facts.stored_unix_ns = (int64_t)stored;
    *ret = facts;
    return true;
}
