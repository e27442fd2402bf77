#include "lexer.h"

#include <stdbool.h>
#include <string.h>

#define NAME_START "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define DIGITS     "0123456789"

/* White space, commas and comments mean nothing in GraphQL. */
static void skip_ignored(lexer *lex)
{
    for (;;) {
        if (*lex->at == '#')
            lex->at += strcspn(lex->at, "\n");
        else if (*lex->at == '\n')
            lex->line++, lex->at++;
        else if (*lex->at == ' ' || *lex->at == '\t' || *lex->at == '\r' || *lex->at == ',')
            lex->at++;
        else
            return;
    }
}

static void take(lexer *lex, token_kind kind, size_t length)
{
    lex->kind = kind;
    lex->text = lex->at;
    lex->length = length;
    lex->at += length;
}

/* A string with the same escapes as JSON's; block strings are not taken. */
static void take_string(lexer *lex)
{
    size_t length = 1;
    while (lex->at[length] != '"' && lex->at[length] != '\0' && lex->at[length] != '\n')
        length += lex->at[length] == '\\' && lex->at[length + 1] != '\0' ? 2 : 1;
    bool is_block = strncmp(lex->at, "\"\"\"", 3) == 0;
    if (lex->at[length] != '"' || is_block)
        take(lex, TOKEN_BAD, length);
    else
        take(lex, TOKEN_LITERAL, length + 1);
}

void lexer_next(lexer *lex)
{
    if (lex->kind == TOKEN_BAD)
        return;
    skip_ignored(lex);
    char first = *lex->at;
    if (first == '\0')
        take(lex, TOKEN_END, 0);
    else if (strchr(NAME_START, first) != NULL)
        take(lex, TOKEN_NAME, strspn(lex->at, NAME_START DIGITS));
    else if (first == '"')
        take_string(lex);
    else if (first == '-' || strchr(DIGITS, first) != NULL)
        take(lex, TOKEN_LITERAL, strspn(lex->at, DIGITS "+-.eE"));
    else if (strncmp(lex->at, "...", 3) == 0)
        take(lex, TOKEN_SPREAD, 3);
    else if (strchr("!$&()=:@[]{}|", first) != NULL)
        take(lex, TOKEN_PUNCTUATOR, 1);
    else
        take(lex, TOKEN_BAD, 1);
}

json_t *lexer_literal(const lexer *lex)
{
    return json_loadb(lex->text, lex->length, JSON_DECODE_ANY, NULL);
}
