#pragma once
/* ecdsa-p256-sok-v1: a proof that its maker held an ECDSA signature over a hash, which shows the hash and the key but not the signature.
 *
 * Statement. h is the SHA-256 of an image, P a public key on P-256 (SEC 2, 2.4.2; generator G, order n, field prime p). A valid
 * signature (r, s) has r = x(R) mod n for R = s⁻¹(h·G + r·P). Make R public and let Q = h·G + r·P: then (r, s) is valid exactly when
 * Q = s·R. So knowing a signature with this R is knowing the discrete logarithm s of Q to the base R, and the proof is Schnorr's for that:
 * T = k·R for a random k, c = H(… T), z = k + c·s mod n; it holds when z·R = T + c·Q.
 *
 * Blob: 167 bytes, all integers big-endian.
 *
 *     offset  size
 *          0     4  50 53 4b 01            ("PSK", version 1)
 *          4    32  h                      as the hash's bytes
 *         36    33  P                      compressed (SEC 1, 2.3.3): 02 for even y or 03 for odd, then x
 *         69    33  R                      compressed
 *        102    33  T                      compressed
 *        135    32  z                      1 ≤ z < n
 *
 * To verify, refusing the proof when any step fails:
 *     1. The blob has 167 bytes and starts with 50 53 4b 01. h and P are those of the claim.
 *     2. P, R and T: first byte 02 or 03, x < p, and a point with this x exists. (Infinity cannot be written so.)
 *     3. r = x(R) mod n is not 0. Q = (h mod n)·G + r·P is not infinity.
 *     4. c = SHA-256("proofline/ecdsa-p256-sok-v1" ‖ h ‖ P ‖ R ‖ Q ‖ T) as an integer, mod n, is not 0. The text is 27 bytes of ASCII without
 *        terminator, the points are compressed, so all parts have fixed lengths. (n is so near 2²⁵⁶ that the reduction
 *        favours no challenge more than twofold.)
 *     5. 1 ≤ z < n, and z·R = T + c·Q.
 *
 * Sound, in the random oracle model: from two answers z, z' to challenges c ≠ c' on one T follows s = (z − z')/(c − c') mod n, hence the
 * whole signature (r, s); by the forking lemma whoever makes proofs can be made to yield signatures, so making one without the owner of P
 * is forging ECDSA. c covers h, P, R and Q, so a proof fits no other statement.
 * Hidden: s. For any c, z and R, T = z·R − c·Q gives the same distribution of (T, c, z) as an honest prover (honest-verifier zero
 * knowledge), so the proof tells nothing of s beyond R. Not hidden: h, P, R and thereby r. Two proofs from one signature share
 * R and can be linked. A proof can be copied: it says that a signature existed, not who sends the proof. It speaks of the hash
 * only, and says nothing about the image or the SHA-256 witness.
 *
 * Sources: Schnorr, Efficient Signature Generation by Smart Cards (1991); Fiat and Shamir, How to Prove Yourself (1986); Pointcheval and
 * Stern, Security Arguments for Digital Signatures (2000); Chase and Lysyanskaya, On Signatures of Knowledge (2006).
 * Known answers, made by another implementation: tests/fixtures/prover/ecdsa-p256-sok-v1.json. */
#include "prover/prover.h"

#define PROVER_SOK_FORMAT    "ecdsa-p256-sok-v1"
#define PROVER_SOK_BLOB_SIZE 167

/* The `native` driver: proves in this process. The signature is verified on the way (R is recovered from it): one
 * that does not verify is BASE_INVALID. k is fresh for each proof and hedged: drawn by libcrypto from random bytes, s, h, P and R.
 * k and s are computed on in constant time and wiped. The caller owns *ret. */
BASE_MUST_CHECK base_code prover_native_new(struct prover **ret, base_error *err);

/* What prover_verify does for PROVER_SOK_FORMAT. Any thread. */
BASE_MUST_CHECK base_code prover_sok_verify(const prover_claim *claim, base_bytes blob, base_error *err);
