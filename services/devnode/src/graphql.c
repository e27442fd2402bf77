#include "devnode/graphql.h"

#include "lexer.h"

#include <string.h>

typedef struct parser {
    lexer lex;
    const json_t *given; /* borrowed; NULL when the request has no variables */
    json_t *variables;   /* owned: what the operation declares, by name */
    size_t fields;
    int depth;
    base_error *err;
} parser;

static void parser_done(parser *p)
{
    json_decref(p->variables);
}
BASE_CLEANUP_VALUE(parser, parser_done);
BASE_CLEANUP_POINTER(json_t, json_decref);

static base_code parse_value(parser *p, json_t **ret);
static base_code parse_selection(parser *p, graphql_field *parent);

static base_code unexpected(const parser *p, const char *wanted)
{
    if (p->lex.kind == TOKEN_END)
        return base_fail(p->err, BASE_INVALID, "Syntax error: the query ends where %s is wanted", wanted);
    return base_fail(p->err, BASE_INVALID, "Syntax error in line %d: \"%.*s\" where %s is wanted", p->lex.line,
                     p->lex.length > 40 ? 40 : (int)p->lex.length, p->lex.text, wanted);
}

static base_code no_memory(const parser *p)
{
    return base_fail(p->err, BASE_NO_MEMORY, "no memory for the query");
}

static bool is_punctuator(const parser *p, char c)
{
    return p->lex.kind == TOKEN_PUNCTUATOR && p->lex.text[0] == c;
}

static bool skip_punctuator(parser *p, char c)
{
    bool found = is_punctuator(p, c);
    if (found)
        lexer_next(&p->lex);
    return found;
}

static base_code expect(parser *p, char c, const char *wanted)
{
    return skip_punctuator(p, c) ? BASE_OK : unexpected(p, wanted);
}

static bool is_word(const parser *p, const char *word)
{
    return p->lex.kind == TOKEN_NAME && p->lex.length == strlen(word) && memcmp(p->lex.text, word, p->lex.length) == 0;
}

static base_code parse_name(parser *p, char ret[static GRAPHQL_NAME_MAX + 1])
{
    if (p->lex.kind != TOKEN_NAME)
        return unexpected(p, "a name");
    if (p->lex.length > GRAPHQL_NAME_MAX)
        return base_fail(p->err, BASE_LIMIT, "a name in the query has more than %d bytes", GRAPHQL_NAME_MAX);
    memcpy(ret, p->lex.text, p->lex.length);
    ret[p->lex.length] = '\0';
    lexer_next(&p->lex);
    return BASE_OK;
}

static base_code descend(parser *p)
{
    if (++p->depth > GRAPHQL_DEPTH_MAX)
        return base_fail(p->err, BASE_LIMIT, "the query nests deeper than %d levels", GRAPHQL_DEPTH_MAX);
    return BASE_OK;
}

static base_code parse_variable(parser *p, json_t **ret)
{
    char name[GRAPHQL_NAME_MAX + 1];
    base_code code = parse_name(p, name);
    if (code != BASE_OK)
        return code;
    json_t *value = json_object_get(p->variables, name);
    if (value == NULL)
        return base_fail(p->err, BASE_INVALID, "Variable \"$%s\" is not defined by the operation", name);
    *ret = json_incref(value);
    return BASE_OK;
}

static base_code parse_list(parser *p, json_t **ret)
{
    BASE_CLEANUP(json_decref) json_t *list = json_array();
    base_code code = list == NULL ? no_memory(p) : descend(p);
    while (code == BASE_OK && !skip_punctuator(p, ']')) {
        json_t *item = NULL;
        code = parse_value(p, &item);
        if (code == BASE_OK && json_array_append_new(list, item) != 0)
            code = no_memory(p);
    }
    p->depth--;
    if (code == BASE_OK)
        *ret = BASE_TAKE(list);
    return code;
}

/* name: value pairs up to `close`, which is skipped: an object's fields or a field's arguments. */
static base_code parse_pairs(parser *p, char close, json_t **ret)
{
    BASE_CLEANUP(json_decref) json_t *object = json_object();
    base_code code = object == NULL ? no_memory(p) : descend(p);
    while (code == BASE_OK && !skip_punctuator(p, close)) {
        char name[GRAPHQL_NAME_MAX + 1];
        json_t *value = NULL;
        code = parse_name(p, name);
        if (code == BASE_OK)
            code = expect(p, ':', "a colon");
        if (code == BASE_OK)
            code = parse_value(p, &value);
        if (code == BASE_OK && json_object_set_new(object, name, value) != 0)
            code = no_memory(p);
    }
    p->depth--;
    if (code == BASE_OK)
        *ret = BASE_TAKE(object);
    return code;
}

static base_code parse_literal(parser *p, json_t **ret)
{
    json_t *value = lexer_literal(&p->lex);
    if (value == NULL)
        return unexpected(p, "a number or string");
    lexer_next(&p->lex);
    *ret = value;
    return BASE_OK;
}

/* true, false, null, or an enum value, which is taken as its name. */
static base_code parse_word(parser *p, json_t **ret)
{
    if (is_word(p, "true") || is_word(p, "false"))
        *ret = json_boolean(is_word(p, "true"));
    else if (is_word(p, "null"))
        *ret = json_null();
    else
        *ret = json_stringn(p->lex.text, p->lex.length);
    lexer_next(&p->lex);
    return *ret == NULL ? no_memory(p) : BASE_OK;
}

static base_code parse_value(parser *p, json_t **ret)
{
    if (skip_punctuator(p, '$'))
        return parse_variable(p, ret);
    if (skip_punctuator(p, '['))
        return parse_list(p, ret);
    if (skip_punctuator(p, '{'))
        return parse_pairs(p, '}', ret);
    if (p->lex.kind == TOKEN_LITERAL)
        return parse_literal(p, ret);
    if (p->lex.kind == TOKEN_NAME)
        return parse_word(p, ret);
    return unexpected(p, "a value");
}

/* Name, Name!, [Name!]! … Only whether null is refused matters here: each resolver checks the types it takes. */
static base_code parse_type(parser *p, bool *ret_required)
{
    int lists = 0;
    while (skip_punctuator(p, '['))
        lists++;
    char name[GRAPHQL_NAME_MAX + 1];
    base_code code = parse_name(p, name);
    bool required = skip_punctuator(p, '!');
    while (code == BASE_OK && lists-- > 0) {
        code = expect(p, ']', "a closing bracket");
        required = skip_punctuator(p, '!');
    }
    *ret_required = required;
    return code;
}

static base_code parse_variable_definition(parser *p)
{
    char name[GRAPHQL_NAME_MAX + 1];
    bool required = false;
    base_code code = expect(p, '$', "a variable");
    if (code == BASE_OK)
        code = parse_name(p, name);
    if (code == BASE_OK)
        code = expect(p, ':', "a colon");
    if (code == BASE_OK)
        code = parse_type(p, &required);
    BASE_CLEANUP(json_decref) json_t *fallback = NULL;
    if (code == BASE_OK && skip_punctuator(p, '='))
        code = parse_value(p, &fallback);
    if (code != BASE_OK)
        return code;
    json_t *given = json_object_get(p->given, name);
    if (required && (given == NULL ? fallback == NULL : json_is_null(given)))
        return base_fail(p->err, BASE_INVALID, "Variable \"$%s\" is required and has no value", name);
    if (given == NULL)
        given = fallback == NULL ? json_null() : fallback;
    return json_object_set(p->variables, name, given) == 0 ? BASE_OK : no_memory(p);
}

static base_code parse_variable_definitions(parser *p)
{
    base_code code = BASE_OK;
    if (skip_punctuator(p, '('))
        while (code == BASE_OK && !skip_punctuator(p, ')'))
            code = parse_variable_definition(p);
    return code;
}

static base_code parse_field(parser *p, graphql_field *field)
{
    if (p->lex.kind == TOKEN_SPREAD)
        return base_fail(p->err, BASE_INVALID, "fragments are not supported by this node");
    base_code code = parse_name(p, field->key);
    if (code != BASE_OK)
        return code;
    if (skip_punctuator(p, ':'))
        code = parse_name(p, field->name);
    else
        memcpy(field->name, field->key, sizeof(field->name));
    if (code == BASE_OK && skip_punctuator(p, '('))
        code = parse_pairs(p, ')', &field->arguments);
    if (code == BASE_OK && is_punctuator(p, '@'))
        return base_fail(p->err, BASE_INVALID, "directives are not supported by this node");
    if (code == BASE_OK && is_punctuator(p, '{'))
        code = parse_selection(p, field);
    return code;
}

/* Room for one more child; the children move when they grow. */
static base_code add_child(parser *p, graphql_field *parent, graphql_field **ret)
{
    if (++p->fields > GRAPHQL_FIELDS_MAX || parent->count == GRAPHQL_CHILDREN_MAX)
        return base_fail(p->err, BASE_LIMIT, "the query selects too many fields");
    if ((parent->count & (parent->count - 1)) == 0) { /* full at each power of two */
        size_t capacity = parent->count == 0 ? 1 : parent->count * 2;
        graphql_field *grown = realloc(parent->children, capacity * sizeof(*grown));
        if (grown == NULL)
            return no_memory(p);
        parent->children = grown;
    }
    *ret = &parent->children[parent->count++];
    **ret = (graphql_field){0};
    return BASE_OK;
}

static base_code parse_selection(parser *p, graphql_field *parent)
{
    base_code code = expect(p, '{', "a selection of fields");
    if (code == BASE_OK)
        code = descend(p);
    while (code == BASE_OK && !skip_punctuator(p, '}')) {
        graphql_field *child = NULL;
        code = add_child(p, parent, &child);
        if (code == BASE_OK)
            code = parse_field(p, child);
    }
    if (code == BASE_OK && parent->count == 0)
        return base_fail(p->err, BASE_INVALID, "Syntax error: a selection is empty");
    p->depth--;
    return code;
}

static base_code parse_operation(parser *p, graphql_document *document)
{
    document->is_mutation = is_word(p, "mutation");
    base_code code = BASE_OK;
    if (is_word(p, "query") || is_word(p, "mutation")) {
        lexer_next(&p->lex);
        if (p->lex.kind == TOKEN_NAME)
            lexer_next(&p->lex);
        code = parse_variable_definitions(p);
    } else if (!is_punctuator(p, '{')) {
        return unexpected(p, "query, mutation or a selection");
    }
    if (code == BASE_OK)
        code = parse_selection(p, &document->root);
    if (code == BASE_OK && p->lex.kind != TOKEN_END)
        code = unexpected(p, "the end (one operation, no fragments)");
    return code;
}

base_code graphql_parse(const char *query, const json_t *variables, graphql_document *ret, base_error *err)
{
    BASE_CLEANUP(parser_done)
    parser p = {
        .lex = {.at = query, .line = 1},
        .given = json_is_object(variables) ? variables : NULL,
        .variables = json_object(),
        .err = err,
    };
    if (p.variables == NULL)
        return no_memory(&p);
    lexer_next(&p.lex);
    graphql_document document = {0};
    base_code code = parse_operation(&p, &document);
    if (code == BASE_OK)
        *ret = document;
    else
        graphql_document_done(&document);
    return code;
}

static void release_field(graphql_field *field)
{
    for (size_t i = 0; i < field->count; i++)
        release_field(&field->children[i]);
    free(field->children);
    json_decref(field->arguments);
}

void graphql_document_done(graphql_document *document)
{
    release_field(&document->root);
    *document = (graphql_document){0};
}
