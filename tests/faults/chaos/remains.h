#pragma once
/* Keeps what is needed to find out why a run failed. */
#include "world.h"

/* Copies into `folder`, replacing it: the services' logs, what was done when, the database, the chain. */
void remains_keep(world *w, const char *folder);
