#include "stage/health.h"

#include "telemetry/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DETAIL_MAX = 200 };

typedef struct part {
    const char *name;
    bool known; /* set at least once */
    bool ready;
    char detail[DETAIL_MAX];
} part;

struct stage_health {
    pthread_mutex_t lock;
    size_t count;
    bool stopping;
    part parts[STAGE_HEALTH_PARTS];
};

base_code stage_health_new(stage_health **ret, base_error *err)
{
    stage_health *health = calloc(1, sizeof(*health));
    if (health == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for the health table");
    pthread_mutex_init(&health->lock, NULL);
    *ret = health;
    return BASE_OK;
}

void stage_health_free(stage_health *health)
{
    if (health == NULL)
        return;
    pthread_mutex_destroy(&health->lock);
    free(health);
}

size_t stage_health_add(stage_health *health, const char *name)
{
    pthread_mutex_lock(&health->lock);
    /* Past the table's end the last part is shared: it then tells of the latest among them. */
    size_t index = health->count < STAGE_HEALTH_PARTS ? health->count++ : STAGE_HEALTH_PARTS - 1;
    health->parts[index] = (part){.name = name, .detail = "not tried yet"};
    pthread_mutex_unlock(&health->lock);
    return index;
}

void stage_health_set(stage_health *health, size_t index, const base_error *err)
{
    pthread_mutex_lock(&health->lock);
    part *at = &health->parts[index];
    bool ready = err == NULL;
    bool changed = !at->known || at->ready != ready;
    const char *name = at->name;
    at->known = true;
    at->ready = ready;
    snprintf(at->detail, sizeof(at->detail), "%s", ready ? "" : err->message);
    pthread_mutex_unlock(&health->lock);
    if (!changed)
        return;
    if (ready)
        TELEMETRY_LOG(TELEMETRY_INFO, "dependency_up", telemetry_text("dependency", name));
    else
        TELEMETRY_LOG(TELEMETRY_WARN, "dependency_down", telemetry_text("dependency", name),
                      telemetry_text("reason", err->message));
}

void stage_health_stop(stage_health *health)
{
    pthread_mutex_lock(&health->lock);
    health->stopping = true;
    pthread_mutex_unlock(&health->lock);
}

/* Workers have parts of the same name: the first that is not ready speaks for all. */
static bool told_before(const stage_health *health, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (!health->parts[i].ready && strcmp(health->parts[i].name, health->parts[index].name) == 0)
            return true;
    return false;
}

void stage_health_report(void *ctx, telemetry_readiness *readiness)
{
    stage_health *health = ctx;
    pthread_mutex_lock(&health->lock);
    if (health->stopping)
        telemetry_not_ready(readiness, "service", "stopping");
    for (size_t i = 0; i < health->count; i++)
        if (!health->parts[i].ready && !told_before(health, i))
            telemetry_not_ready(readiness, health->parts[i].name, "%s", health->parts[i].detail);
    pthread_mutex_unlock(&health->lock);
}
