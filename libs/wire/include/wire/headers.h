#pragma once
/* Names and values of the message headers. Headers only help: a message carries its own identity. */

#define WIRE_HEADER_CONTENT_TYPE "Content-Type"
#define WIRE_CONTENT_TYPE        "application/protobuf"
#define WIRE_HEADER_TYPE         "Proofline-Type" /* full protobuf name, proofline.v1.GenerateProof */
#define WIRE_HEADER_TRACEPARENT  "traceparent"

#define WIRE_TYPE_GENERATE_PROOF      "proofline.v1.GenerateProof"
#define WIRE_TYPE_PREPARE_TRANSACTION "proofline.v1.PrepareTransaction"
#define WIRE_TYPE_PUBLISH_PROOF       "proofline.v1.PublishProof"
#define WIRE_TYPE_STATUS_CHANGED      "proofline.v1.SubmissionStatusChanged"

/* The facts of a dead letter; its payload is the original message, byte for byte. Only an undecodable message that nearly fills the
 * server's maximum loses its end, since the facts need room in it. */
#define WIRE_HEADER_DEAD_STAGE       "Proofline-Dead-Stage"       /* generate | prepare | publish */
#define WIRE_HEADER_DEAD_REASON_CODE "Proofline-Dead-Reason-Code" /* stable, for programs */
#define WIRE_HEADER_DEAD_REASON      "Proofline-Dead-Reason"      /* for people, one line */
#define WIRE_HEADER_DEAD_SUBJECT     "Proofline-Dead-Subject"     /* where it came from: redrive publishes there */
#define WIRE_HEADER_DEAD_SEQUENCE    "Proofline-Dead-Sequence"    /* its sequence in the jobs stream */
#define WIRE_HEADER_DEAD_SHA256      "Proofline-Dead-Sha256"      /* hex; absent when it could not be decoded */
#define WIRE_HEADER_DEAD_ATTEMPTS    "Proofline-Dead-Attempts"
#define WIRE_HEADER_DEAD_AT          "Proofline-Dead-At" /* RFC 3339 */
