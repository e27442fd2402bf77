#pragma once
/* Carries out the faults of a schedule. */
#include "world.h"

/* The first and the last moment of a fault. A fault of no duration only begins. */
void act_begin(world *w, const chaos_fault *fault);
void act_end(world *w, const chaos_fault *fault);

/* Ends whatever is wrong: everything runs, nothing is slow, nothing lies. */
void act_heal(world *w);
