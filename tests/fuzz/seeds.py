#!/usr/bin/env python3
"""Writes the seeds that are made from tests/fixtures, always the same ones: python3 tests/fuzz/seeds.py. The others are kept as they
were caught: answers of real servers, and inputs that were once wrong."""
import json
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures"


def write(target, name, data):
    folder = HERE / "seeds" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)


def load(path):
    return json.loads((FIXTURES / path).read_text())["vectors"]


def base58_payload(text):
    """Without version and checksum."""
    number = 0
    for c in text:
        number = number * 58 + "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".index(c)
    return number.to_bytes(40, "big")[1:-4]


def proofs():
    for i, v in enumerate(load("prover/ecdsa-p256-sok-v1.json")):
        key = bytes.fromhex(v["public_key"]["x"] + v["public_key"]["y"])
        sha256 = bytes.fromhex(v["sha256"])
        signature = bytes.fromhex(v["signature"]["r"] + v["signature"]["s"])
        write("proof", f"answer_{i}", sha256 + key + bytes.fromhex(v["proof"]))
        write("evidence_signature", f"answer_{i}", key + sha256 + signature + bytes([i, 0]))
        write("evidence_key", f"hex_{i}", key.hex())
    keys = [v["public_key"] for v in load("prover/ecdsa-p256-sok-v1.json")]
    write("evidence_key", "signers", ",\n".join(k["x"] + k["y"] for k in keys[:3]))
    write("evidence_key", "compressed", "0" + str(2 + int(keys[0]["y"], 16) % 2) + keys[0]["x"])


def mina():
    for i, v in enumerate(load("mina/payments.json")[:6]):
        p = v["payment"]
        memo = p.get("memo", "").encode()[:32]
        numbers = struct.pack(">QQII", int(p["amount"]), int(p["fee"]), int(p["nonce"]),
                              int(p.get("validUntil") or 2**32 - 1) & 0xFFFFFFFF)
        write("mina_request", f"payment_{i}", numbers + bytes(range(32)) + memo)
        write("mina_text", f"public_key_{i}", v["publicKey"])
        write("mina_text", f"secret_key_{i}", v["privateKey"])
        write("mina_text", f"field_{i}", v["signature"]["field"])
        write("mina_text", f"hash_{i}", v["hash"])
    address = load("mina/payments.json")[0]["publicKey"]
    write("mina_text", "leading_one", "1" + address)
    for parity in range(3):
        write("mina_text", f"payload_parity_{parity}", b"\5" + base58_payload(address)[:-1] + bytes([parity]))
    write("mina_request", "address", load("mina/payments.json")[0]["publicKey"])
    write("mina_request", "hashes", "\n".join(v["hash"] for v in load("mina/payments.json")[:3]))
    write("mina_text", "payload_memo", bytes([1, 1, 5]) + b"hello".ljust(32, b"\0"))
    write("mina_text", "payload_public_key", bytes([5, 1, 1]) + bytes(32) + b"\0")
    write("mina_text", "payload_secret_key", bytes([3, 1]) + bytes([1]) + bytes(31))


if __name__ == "__main__":
    proofs()
    mina()
