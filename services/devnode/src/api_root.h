#pragma once
/* The two roots of the schema. Their resolvers get an api as call->ctx and lock the node themselves. */
#include "devnode/schema.h"

extern const schema_type API_QUERY;
extern const schema_type API_MUTATION;
