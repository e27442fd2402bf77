#pragma once
/* Cuts a GraphQL document into tokens. */
#include "base/error.h"

#include <jansson.h>

typedef enum token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_PUNCTUATOR, /* one character; "..." is TOKEN_SPREAD */
    TOKEN_SPREAD,
    TOKEN_LITERAL, /* a number or string */
    TOKEN_BAD,
} token_kind;

/* The current token is text[0..length) of the document, which must outlive the lexer. */
typedef struct lexer {
    const char *at; /* behind the current token */
    int line;
    token_kind kind;
    const char *text;
    size_t length;
} lexer;

/* Moves on to the next token; a bad one stays. */
void lexer_next(lexer *lex);
/* The value of a TOKEN_LITERAL, a new reference; NULL when it is malformed. */
json_t *lexer_literal(const lexer *lex);
