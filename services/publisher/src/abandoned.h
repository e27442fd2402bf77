#pragma once
/* Looks for transactions that were given up and land after all: their submissions may be on the chain twice. */
#include "lane.h"

/* What is found is told once per owner of the lane: an ERROR in the log, and a metric. Nothing is done about it, for nothing can be: a
 * person has to look. BASE_UNAVAILABLE: store or node. */
BASE_MUST_CHECK base_code publisher_abandoned_look(publisher_lane *lane, base_error *err);
