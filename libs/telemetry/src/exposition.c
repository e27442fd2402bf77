#include "metrics_private.h"

#include <math.h>
#include <stdio.h>

#define ESCAPED_MAX (2 * TELEMETRY_LABEL_MAX)

static const char *const KINDS[] = {"counter", "gauge", "histogram"};

/* As the text format wants it: backslash, double quote and line feed escaped. */
static void escape_label(const char *value, char ret[ESCAPED_MAX])
{
    size_t used = 0;
    for (const char *p = value; *p != '\0'; p++) {
        if (*p == '\\' || *p == '"' || *p == '\n')
            ret[used++] = '\\';
        ret[used++] = *p == '\n' ? 'n' : *p;
    }
    ret[used] = '\0';
}

/* {a="x",b="y",le="0.5"}; nothing at all without labels. `le` NULL: none. */
static base_code write_labels(const family *source, const series *one, const char *le, base_buffer *ret,
                              base_error *err)
{
    if (source->label_count == 0 && le == NULL)
        return BASE_OK;
    base_code code = base_buffer_printf(ret, err, "{");
    for (size_t i = 0; code == BASE_OK && i < source->label_count; i++) {
        char escaped[ESCAPED_MAX];
        escape_label(one->labels[i], escaped);
        code = base_buffer_printf(ret, err, "%s%s=\"%s\"", i > 0 ? "," : "", source->info->labels[i], escaped);
    }
    if (code == BASE_OK && le != NULL)
        code = base_buffer_printf(ret, err, "%sle=\"%s\"", source->label_count > 0 ? "," : "", le);
    return code == BASE_OK ? base_buffer_printf(ret, err, "}") : code;
}

static base_code write_sample(const family *source, const series *one, const char *suffix, const char *le, double value,
                              base_buffer *ret, base_error *err)
{
    base_code code = base_buffer_printf(ret, err, "%s%s", source->info->name, suffix);
    if (code == BASE_OK)
        code = write_labels(source, one, le, ret, err);
    if (code != BASE_OK)
        return code;
    if (isnan(value))
        return base_buffer_printf(ret, err, " NaN\n");
    if (isinf(value))
        return base_buffer_printf(ret, err, value > 0 ? " +Inf\n" : " -Inf\n");
    return base_buffer_printf(ret, err, " %.15g\n", value);
}

static base_code write_histogram(const family *source, const series *one, base_buffer *ret, base_error *err)
{
    uint64_t total = 0;
    for (size_t i = 0; i <= source->bound_count; i++) {
        char bound[32] = "+Inf";
        if (i < source->bound_count)
            snprintf(bound, sizeof(bound), "%g", source->bounds[i]);
        total += one->buckets[i];
        base_code code = write_sample(source, one, "_bucket", bound, (double)total, ret, err);
        if (code != BASE_OK)
            return code;
    }
    base_code code = write_sample(source, one, "_sum", NULL, one->value, ret, err);
    return code == BASE_OK ? write_sample(source, one, "_count", NULL, (double)total, ret, err) : code;
}

base_code exposition_family(const family *source, base_buffer *ret, base_error *err)
{
    const telemetry_metric *info = source->info;
    base_code code = base_buffer_printf(ret, err, "# HELP %s %s\n# TYPE %s %s\n", info->name, info->help, info->name,
                                        KINDS[info->kind]);
    for (size_t i = 0; code == BASE_OK && i < source->used; i++) {
        const series *one = &source->all[i];
        code = info->kind == TELEMETRY_HISTOGRAM ? write_histogram(source, one, ret, err)
                                                 : write_sample(source, one, "", NULL, one->value, ret, err);
    }
    return code;
}
