#!/usr/bin/env python3
"""ecdsa-p256-sok-v1 written from the header prover/sok.h alone, in plain integers.

sok.py verify HASH X Y BLOB      checks a proof (all hex); exit 0 when it holds, else 1 with the reason
sok.py make HASH X Y R S NONCE   makes one with the given nonce, for test vectors only: not in constant time
"""
import hashlib
import sys

p = 2**256 - 2**224 + 2**192 + 2**96 - 1
n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
MAGIC = b"PSK\x01"


def add(a, c):
    if a is None or c is None:
        return a or c
    if a[0] == c[0] and (a[1] + c[1]) % p == 0:
        return None
    if a == c:
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, p) % p
    else:
        slope = (c[1] - a[1]) * pow(c[0] - a[0], -1, p) % p
    x = (slope * slope - a[0] - c[0]) % p
    return x, (slope * (a[0] - x) - a[1]) % p


def mul(k, point):
    sum_ = None
    while k:
        if k & 1:
            sum_ = add(sum_, point)
        point = add(point, point)
        k >>= 1
    return sum_


def on_curve(point):
    return all(0 <= v < p for v in point) and (point[0] ** 3 - 3 * point[0] + b - point[1] ** 2) % p == 0


def encode(point):
    return bytes([2 + point[1] % 2]) + point[0].to_bytes(32, "big")


def decode(octets):
    x = int.from_bytes(octets[1:], "big")
    y = pow(x**3 - 3 * x + b, (p + 1) // 4, p)
    if octets[0] not in (2, 3) or not on_curve((x, y)):
        sys.exit("not a point")
    return x, y if y % 2 == octets[0] - 2 else p - y


def challenge(h, P, R, Q, T):
    parts = b"proofline/ecdsa-p256-sok-v1" + h + encode(P) + encode(R) + encode(Q) + encode(T)
    return int.from_bytes(hashlib.sha256(parts).digest(), "big") % n


def verify(h, P, blob):
    if len(blob) != 167 or blob[:4] != MAGIC or blob[4:36] != h or blob[36:69] != encode(P):
        sys.exit("not a proof about this hash and key")
    R, T, z = decode(blob[69:102]), decode(blob[102:135]), int.from_bytes(blob[135:], "big")
    r = R[0] % n
    Q = add(mul(int.from_bytes(h, "big") % n, G), mul(r, P))
    if r == 0 or Q is None:
        sys.exit("no signature has this R")
    c = challenge(h, P, R, Q, T)
    if c == 0 or not 1 <= z < n or mul(z, R) != add(T, mul(c, Q)):
        sys.exit("the equation does not hold")


def make(h, P, r, s, k):
    Q = add(mul(int.from_bytes(h, "big") % n, G), mul(r, P))
    R = mul(pow(s, -1, n), Q)
    if R[0] % n != r:
        sys.exit("the signature is wrong")
    T = mul(k, R)
    z = (k + challenge(h, P, R, Q, T) * s) % n
    return MAGIC + h + encode(P) + encode(R) + encode(T) + z.to_bytes(32, "big")


def main(command, hash_, x, y, *rest):
    h, P = bytes.fromhex(hash_), (int(x, 16), int(y, 16))
    if len(h) != 32 or not on_curve(P):
        sys.exit("not a hash and a key")
    if command == "make":
        print(make(h, P, *(int(value, 16) for value in rest)).hex())
    elif command == "verify":
        verify(h, P, bytes.fromhex(rest[0]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
