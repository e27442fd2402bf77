#!/usr/bin/env node
// A producer written from proto/proofline/v1 alone, in another language and with another SHA-256, ECDSA and protobuf: submits an
// image and waits for its end. Exit code 0: complete, 3: rejected, 4: no such event within 60 seconds (an image that was complete
// before has none).
//
//   npm install --prefix FOLDER protobufjs @nats-io/transport-node @nats-io/jetstream
//   cd FOLDER && node …/tests/interop/produce.mjs IMAGE      (NATS_URL says where)
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const fromHere = createRequire(`${process.cwd()}/`); // the packages are the caller's, none lies beside this file
const protobuf = fromHere('protobufjs');
const { connect } = fromHere('@nats-io/transport-node');
const { jetstream } = fromHere('@nats-io/jetstream');

const WAIT_MS = 60_000;

// FIPS 180-4, section 4.2.2: the first 32 bits of the fractional parts of the roots of the first primes, in exact integers.
const PRIMES = [];
for (let n = 2; PRIMES.length < 64; n++) if (PRIMES.every((p) => n % p !== 0)) PRIMES.push(n);
function rootBits(n, power) {
    let root = 0n; // the largest with root^power <= n * 2^(32 * power)
    for (let bit = 1n << 40n; bit > 0n; bit >>= 1n)
        if ((root + bit) ** power <= BigInt(n) << (32n * power)) root += bit;
    return Number(root & 0xffffffffn);
}
const K = PRIMES.map((prime) => rootBits(prime, 3n));
const H = PRIMES.slice(0, 8).map((prime) => rootBits(prime, 2n));

const rotate = (x, n) => (x >>> n) | (x << (32 - n));

function expand(block) {
    const w = Array.from({ length: 16 }, (_, i) => block.readUInt32BE(4 * i));
    for (let i = 16; i < 64; i++) {
        const s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >>> 3);
        const s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >>> 10);
        w[i] = (w[i - 16] + s0 + w[i - 7] + s1) >>> 0;
    }
    return w;
}

function round([a, b, c, d, e, f, g, h], k, w) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + k + w) >>> 0;
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) >>> 0;
    return [(t1 + t2) >>> 0, a, b, c, (d + t1) >>> 0, e, f, g];
}

const add = (x, y) => x.map((word, i) => (word + y[i]) >>> 0);

// The inputs of the last of all rounds, and the hash that it leads to.
function finalRound(data) {
    const padded = Buffer.alloc(Math.ceil((data.length + 9) / 64) * 64);
    data.copy(padded);
    padded[data.length] = 0x80;
    padded.writeBigUInt64BE(BigInt(data.length) * 8n, padded.length - 8);
    for (let at = 0, hash = H; ; at += 64) {
        const w = expand(padded.subarray(at, at + 64));
        let state = hash;
        for (let i = 0; i < 63; i++) state = round(state, K[i], w[i]);
        const next = add(round(state, K[63], w[63]), hash);
        if (at + 64 === padded.length) {
            const sha256 = Buffer.alloc(32);
            next.forEach((word, i) => sha256.writeUInt32BE(word, 4 * i));
            return { sha256, evidence: { state, initialState: hash, messageWord: w[63], roundConstant: K[63] } };
        }
        hash = next;
    }
}

function makeJob(image) {
    const { sha256, evidence } = finalRound(image);
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const point = publicKey.export({ format: 'jwk' });
    const signature = sign('sha256', image, { key: privateKey, dsaEncoding: 'ieee-p1363' }); // r and s, 32 bytes each
    return {
        sha256,
        correlationId: `produce-${randomUUID()}`,
        submittedAtUnixMs: Date.now(),
        signature: { r: signature.subarray(0, 32), s: signature.subarray(32) },
        publicKey: { x: Buffer.from(point.x, 'base64url'), y: Buffer.from(point.y, 'base64url') },
        finalRound: evidence,
    };
}

function loadMessages() {
    const root = new protobuf.Root();
    root.resolvePath = (_, path) => fileURLToPath(new URL(`../../proto/${path}`, import.meta.url));
    root.loadSync(['proofline/v1/jobs.proto', 'proofline/v1/events.proto']);
    return root;
}

const root = loadMessages();
const GenerateProof = root.lookupType('proofline.v1.GenerateProof');
const StatusChanged = root.lookupType('proofline.v1.SubmissionStatusChanged');
const statuses = root.lookupEnum('proofline.v1.SubmissionStatus').valuesById;

if (process.argv.length !== 3) {
    console.error('usage: produce.mjs IMAGE');
    process.exit(2);
}
const job = makeJob(readFileSync(process.argv[2]));
const problem = GenerateProof.verify(job);
if (problem) throw new Error(problem);
const id = job.sha256.toString('hex');

const nats = await connect({ servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222' });
const events = nats.subscribe(`proofline.events.${id}.*`);
const receipt = await jetstream(nats).publish('proofline.jobs.generate', GenerateProof.encode(job).finish(), { msgID: id });
console.log(`public key: ${job.publicKey.x.toString('hex')}${job.publicKey.y.toString('hex')}`);
console.log(`${id}  queued as job ${receipt.seq}${receipt.duplicate ? ', a duplicate' : ''}`);
let exitCode = 4;
const giveUp = setTimeout(() => events.unsubscribe(), WAIT_MS);
for await (const message of events) {
    const change = StatusChanged.decode(message.data);
    const name = statuses[change.status];
    console.log(`#${change.sequence}  ${name}  ${change.transactionHash || change.reason || ''}`);
    if (/_(COMPLETE|REJECTED)$/.test(name)) {
        exitCode = name.endsWith('COMPLETE') ? 0 : 3;
        break;
    }
}
clearTimeout(giveUp);
await nats.close();
process.exitCode = exitCode;
