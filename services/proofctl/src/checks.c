#include "checks.h"

#include <assert.h>

enum { NAME_WIDTH = 14, ANSWER_WIDTH = 4 };

void ctl_checks_add(ctl_checks *checks, const char *name, bool is_passed, const char *format, ...)
{
    assert(checks->count < CTL_CHECKS_MAX);
    ctl_check *check = &checks->items[checks->count++];
    check->name = name;
    check->is_passed = is_passed;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(check->detail, sizeof(check->detail), format, arguments);
    va_end(arguments);
}

bool ctl_checks_passed(const ctl_checks *checks)
{
    bool passed = checks->count > 0;
    for (size_t i = 0; i < checks->count; i++)
        passed = passed && checks->items[i].is_passed;
    return passed;
}

void ctl_checks_print(const ctl_checks *checks, FILE *out)
{
    for (size_t i = 0; i < checks->count; i++) {
        const ctl_check *check = &checks->items[i];
        fprintf(out, "%-*s %-*s ", NAME_WIDTH, check->name, ANSWER_WIDTH, check->is_passed ? "yes" : "no");
        ctl_print_clean(check->detail, out);
        fputc('\n', out);
    }
}

json_t *ctl_checks_json(const ctl_checks *checks)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < checks->count; i++) {
        const ctl_check *check = &checks->items[i];
        json_array_append_new(array, json_pack("{s:s, s:b, s:o}", "name", check->name, "passed", (int)check->is_passed,
                                               "detail", ctl_json_text(check->detail)));
    }
    return array;
}
