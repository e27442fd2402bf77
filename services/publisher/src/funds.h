#pragma once
/* The fee payer's money: while it does not suffice the lane pauses. An empty account is its operator's matter, and no job is to
 * blame for it. */
#include "lane.h"

/* Takes note of what the account holds, as just asked for. */
void publisher_funds_note(publisher_lane *lane, const ledger_account *account);
/* Nothing new is sent until the account has been asked again and can pay. */
void publisher_funds_pause(publisher_lane *lane);
/* The node refused a transaction for want of money: asks for the balance, and pauses the lane whatever it is. */
void publisher_funds_refused(publisher_lane *lane);
/* How many more transactions can be paid, at most `wanted`, and takes them as spent. Asks for the balance before it says fewer, and
 * then pauses the lane. */
size_t publisher_funds_cover(publisher_lane *lane, size_t wanted);
/* BASE_UNAVAILABLE while the lane pauses for want of money: the message names the account, what it has, what it needs and what to do. */
BASE_MUST_CHECK base_code publisher_funds_check(publisher_lane *lane, base_error *err);
