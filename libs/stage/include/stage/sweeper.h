#pragma once
/* Finishes what crashes leave behind: unpublished outbox rows, pending work that no message covers, work that is too old. */
#include "stage/service.h"

/* The body of the sweeper's thread: returns when the service stops. All services run one; a Postgres advisory lock lets one at a time work. */
void stage_sweeper_run(stage_service *service);
