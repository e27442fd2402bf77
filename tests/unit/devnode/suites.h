#pragma once
/* The groups of tests in this program; each returns how many failed. */
int run_graphql_tests(void);
int run_chain_tests(void);
int run_journal_tests(void);
int run_faults_tests(void);
int run_api_tests(void);
