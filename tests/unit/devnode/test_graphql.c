/* The GraphQL parser and its edges. */
#include "devnode/graphql.h"
#include "suites.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static graphql_document parse(const char *query, const char *variables)
{
    json_t *given = variables == NULL ? NULL : json_loads(variables, 0, NULL);
    graphql_document document = {0};
    base_error err = {0};
    base_code code = graphql_parse(query, given, &document, &err);
    json_decref(given);
    if (code != BASE_OK)
        fail_msg("%s", err.message);
    return document;
}

static void refuses(const char *query, const char *variables, const char *because)
{
    json_t *given = variables == NULL ? NULL : json_loads(variables, 0, NULL);
    graphql_document document;
    base_error err = {0};
    base_code code = graphql_parse(query, given, &document, &err);
    json_decref(given);
    assert_true(code == BASE_INVALID || code == BASE_LIMIT);
    if (strstr(err.message, because) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.message, because);
}

static void arguments_are(const graphql_field *field, const char *expected)
{
    json_t *wanted = json_loads(expected, 0, NULL);
    int equal = json_equal(field->arguments, wanted);
    json_decref(wanted);
    if (!equal)
        fail_msg("arguments of %s are not %s", field->name, expected);
}

static void a_bare_selection_is_a_query(void **state)
{
    (void)state;
    BASE_CLEANUP(graphql_document_done) graphql_document d = parse("{ a b }", NULL);
    assert_false(d.is_mutation);
    assert_int_equal(d.root.count, 2);
    assert_string_equal(d.root.children[1].name, "b");
    assert_null(d.root.children[1].arguments);
}

static void selections_nest_and_aliases_rename(void **state)
{
    (void)state;
    BASE_CLEANUP(graphql_document_done)
    graphql_document d = parse("query Name { one: a { x y: z } }", NULL);
    const graphql_field *a = &d.root.children[0];
    assert_string_equal(a->name, "a");
    assert_string_equal(a->key, "one");
    assert_int_equal(a->count, 2);
    assert_string_equal(a->children[1].name, "z");
    assert_string_equal(a->children[1].key, "y");
}

static void literals_of_every_kind_become_json(void **state)
{
    (void)state;
    BASE_CLEANUP(graphql_document_done)
    graphql_document d = parse("{ a(i: -5, f: 1.5e3, s: \"q\\\"\\u00e9\", t: true, n: null, e: ENUM,"
                               " l: [1, [2], \"x\"], o: {k: {m: false}}) }",
                               NULL);
    arguments_are(&d.root.children[0], "{\"i\":-5,\"f\":1500.0,\"s\":\"q\\\"\\u00e9\",\"t\":true,\"n\":null,"
                                       "\"e\":\"ENUM\",\"l\":[1,[2],\"x\"],\"o\":{\"k\":{\"m\":false}}}");
}

static void variables_take_the_place_of_values(void **state)
{
    (void)state;
    BASE_CLEANUP(graphql_document_done)
    graphql_document d = parse("mutation M($a: In!, $b: [String!]! = [\"d\"], $c: Int) { f(a: $a, b: $b, c: {d: $c}) }",
                               "{\"a\": {\"x\": [1]}}");
    assert_true(d.is_mutation);
    arguments_are(&d.root.children[0], "{\"a\":{\"x\":[1]},\"b\":[\"d\"],\"c\":{\"d\":null}}");
}

static void commas_comments_and_line_breaks_are_ignored(void **state)
{
    (void)state;
    BASE_CLEANUP(graphql_document_done)
    graphql_document d = parse("# first }\r\n{,a,,(x:1,)# rest\n\tb}\n#end", NULL);
    assert_int_equal(d.root.count, 2);
    arguments_are(&d.root.children[0], "{\"x\":1}");
}

static void malformed_queries_say_what_is_wrong_and_where(void **state)
{
    (void)state;
    refuses("", NULL, "ends where query, mutation or a selection");
    refuses("{", NULL, "ends where a name");
    refuses("{}", NULL, "a selection is empty");
    refuses("{ a {} }", NULL, "a selection is empty");
    refuses("{ a }\n{ b }", NULL, "line 2");
    refuses("{ a(x 1) }", NULL, "a colon");
    refuses("{ a(x: }", NULL, "a value");
    refuses("{ a(x: \"open) }", NULL, "a value");
    refuses("{ a(x: \"bad \\q\") }", NULL, "a number or string");
    refuses("{ a(x: \"ends\\", NULL, "a value");
    refuses("{ a(x: 1.2.3) }", NULL, "a number or string");
    refuses("{ a(x: \"\"\"block\"\"\") }", NULL, "a value");
    refuses("{ a ; b }", NULL, "\";\"");
    refuses("subscription { a }", NULL, "query, mutation or a selection");
    refuses("query ($a: [Int) { a }", NULL, "a closing bracket");
}

static void what_is_not_supported_is_refused_by_name(void **state)
{
    (void)state;
    refuses("{ a { ...F } } fragment F on A { b }", NULL, "fragments");
    refuses("{ a @include(if: true) }", NULL, "directives");
}

static void variables_are_declared_and_given(void **state)
{
    (void)state;
    refuses("{ a(x: $v) }", "{\"v\": 1}", "\"$v\" is not defined");
    refuses("query ($v: Int!) { a(x: $v) }", "{}", "\"$v\" is required");
    refuses("query ($v: Int!) { a(x: $v) }", "{\"v\": null}", "\"$v\" is required");
    refuses("query ($v: Int!) { a(x: $v) }", NULL, "\"$v\" is required");
}

static void depth_width_and_names_are_bounded(void **state)
{
    (void)state;
    char deep[4 * GRAPHQL_DEPTH_MAX + 16] = "";
    for (int i = 0; i <= GRAPHQL_DEPTH_MAX; i++)
        strncat(deep, "{a", 3);
    refuses(deep, NULL, "deeper");
    char list[64 + 2 * GRAPHQL_DEPTH_MAX] = "{a(x:";
    for (int i = 0; i <= GRAPHQL_DEPTH_MAX; i++)
        strncat(list, "[", 2);
    refuses(list, NULL, "deeper");
    char wide[2 * GRAPHQL_CHILDREN_MAX + 16] = "{";
    for (int i = 0; i <= GRAPHQL_CHILDREN_MAX; i++)
        strncat(wide, "a ", 3);
    refuses(wide, NULL, "too many fields");
    char name[GRAPHQL_NAME_MAX + 8] = "{";
    memset(name + 1, 'a', GRAPHQL_NAME_MAX + 1);
    refuses(name, NULL, "a name");
}

static void every_prefix_of_a_query_is_refused_without_harm(void **state)
{
    (void)state;
    const char whole[] = "query Q($a: [T!]! = [1], $b: S) { x: f(i: {a: $a, b: \"s\\n\"}, n: -1.5) { g { h } } }";
    for (size_t length = 0; length + 1 < sizeof(whole); length++) {
        char part[sizeof(whole)];
        memcpy(part, whole, length);
        part[length] = '\0';
        graphql_document document;
        assert_int_not_equal(graphql_parse(part, NULL, &document, NULL), BASE_OK);
    }
    BASE_CLEANUP(graphql_document_done) graphql_document d = parse(whole, NULL);
    assert_int_equal(d.root.count, 1);
}

int run_graphql_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bare_selection_is_a_query),
        cmocka_unit_test(selections_nest_and_aliases_rename),
        cmocka_unit_test(literals_of_every_kind_become_json),
        cmocka_unit_test(variables_take_the_place_of_values),
        cmocka_unit_test(commas_comments_and_line_breaks_are_ignored),
        cmocka_unit_test(malformed_queries_say_what_is_wrong_and_where),
        cmocka_unit_test(what_is_not_supported_is_refused_by_name),
        cmocka_unit_test(variables_are_declared_and_given),
        cmocka_unit_test(depth_width_and_names_are_bounded),
        cmocka_unit_test(every_prefix_of_a_query_is_refused_without_harm),
    };
    return cmocka_run_group_tests_name("GraphQL", tests, NULL, NULL);
}
