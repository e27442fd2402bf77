#pragma once
/* The groups of tests in this program; each returns how many failed. */
int run_base58_tests(void);
