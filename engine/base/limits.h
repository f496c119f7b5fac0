// SPDX-License-Identifier: Apache-2.0
//
// limits: every fixed maximum of the engine, with the sum or the reason that made it.
// Constructors take limits as arguments; these are what core passes. Nothing else is a literal.
#pragma once

// -- lists ---------------------------------------------------------------------------------
// Each list owns three ids in the sets (base, added, lifted; see feed/catalog.h) and an id has 10
// bits in a key entry: 1023 usable ids / 3 = 341; rounded down.
#define LIMIT_LISTS   320
#define LIMIT_SET_IDS 1024
// Lists that are dense enough for planes (a registry, state lists, wireless blocks …). A page
// descriptor keeps 16 bits for them; further lists go to the hashed keys and work the same.
#define LIMIT_SET_PLANES 16
#define LIMIT_TENANTS    256
// Names of lists and tenants: [A-Za-z0-9][A-Za-z0-9._-]*, so that they can stand in a URL, a file
// name and a metric label.
#define LIMIT_NAME_BYTES 64
// Address space for pages: 640,000 exchanges x 1,256 B x 16 planes = 12.9 GB, and as much again
// for blocks that wait for reuse. Address space only; memory is used when touched.
#define LIMIT_PAGES_BYTES ((size_t)32 << 30)

// -- one question --------------------------------------------------------------------------
// A record: GSW fields and user fields. OCS sends 1 to 4 KiB; 64 KiB leaves room for the largest
// custom fields seen and keeps one request inside two receive buffers.
#define LIMIT_RECORD_BYTES 65536
#define LIMIT_RECORD_DEPTH 8 // nesting of values that are skipped
// A batch is walked past records that are nested too deeply, which are then blocked one by one; one
// bit a level in wire/json.
#define LIMIT_BATCH_DEPTH     64
#define LIMIT_RECORD_KEYS     512 // members of one record
#define LIMIT_NUMBER_BYTES    64  // a phone number as text, with spaces, dashes, extension
#define LIMIT_EMAIL_BYTES     254 // RFC 5321, 4.5.3.1.3: path of 256 less the brackets
#define LIMIT_CLIENT_ID_BYTES 256
// A JSON batch is kept whole: 10,000 records x 1 KiB = 10 MiB, rounded up. NDJSON has no limit.
#define LIMIT_BATCH_BYTES ((size_t)16 << 20)
// JSON batches in memory at once on one thread: 4 x 16 MiB. More get 503 and Retry-After.
#define LIMIT_BATCHES 4
// Records of batches decided in one turn, so that a batch delays a dialer's question by at most
// about 256 x 0.5 us.
#define LIMIT_BATCH_SLICE 256
// Questions hashed and prefetched together before they are decided.
#define LIMIT_TURN_QUESTIONS   64
#define LIMIT_SMALL_BODY_BYTES 65536 // bodies of every other endpoint

// -- HTTP ----------------------------------------------------------------------------------
#define LIMIT_HEADER_BYTES 16384 // request line and header fields; OCS sends about 250 bytes
#define LIMIT_TARGET_BYTES 4096
#define LIMIT_HEADERS      100
#define LIMIT_RECV_BYTES   32768 // one receive buffer: 32 KiB keeps 64 pipelined questions whole
#define LIMIT_RECV_BUFFERS 256   // per thread: 8 MiB
#define LIMIT_SEND_BYTES                                                                           \
    32768 // answers of one connection in a turn: 64 x 256 B and a stream's chunk
#define LIMIT_DRAIN_BYTES                                                                          \
    ((size_t)1 << 20) // body of a refused request read away to keep the connection

// -- feed ----------------------------------------------------------------------------------
// Entry changes committed by one fdatasync: 1,024 x 64 B = one 64 KiB write.
#define LIMIT_COMMIT_JOBS    1024
#define LIMIT_JOBS           4096               // changes under way per thread; more get 503
#define LIMIT_SNAPSHOT_AFTER ((size_t)64 << 20) // log bytes that start a snapshot
#define LIMIT_LINE_BYTES     4096               // a line of a list file
#define LIMIT_TOKENS         256

// -- rules ---------------------------------------------------------------------------------
// A rule-set document: 1,024 rules x 1 KiB and 4,096 plans x 256 B = 2 MiB; doubled for spaces.
#define LIMIT_RULES_BYTES ((size_t)4 << 20)
// Asks of customers' services under way per thread: 500 contacts a second that nobody knows the
// answer for x the 500 ms that a rule waits = 250. Each has room for a record: 16 MiB, memory when
// used. Half of them for questions that wait, so that a batch cannot use up all.
#define LIMIT_EXTERNAL_ASKS 256
// Rules that one question may ask; further ones are silent.
#define LIMIT_EXTERNAL_RULES 8
// Answers kept: 500 a second x the 60 s that a rule keeps one = 30,000; a power of two above its
// double x 16 B = 1 MiB.
#define LIMIT_EXTERNAL_ANSWERS 65536
// -- ledger --------------------------------------------------------------------------------
// Attempts in memory: 50 million (30 days of 1.6 million a day) x about 80 B = 4 GB when all are
// there; chunks are taken when needed.
#define LIMIT_ATTEMPTS ((size_t)50000000)
// Reservations: 150,000 allowed a second x 10 s x up to 2 keys = 3 million; a power of two above.
#define LIMIT_RESERVATIONS ((size_t)1 << 22)
// Attempts of one device or contact that one question looks at.
#define LIMIT_LEDGER_CHAIN 4096
// A segment of the log of call reports: 64 MiB are 700,000 reports, and one is deleted at a time.
#define LIMIT_REPORTS_SEGMENT ((size_t)64 << 20)
// Bytes kept of a call report that nothing can be made of, and of all of them in an hour: 1 MiB x
// 24 x 32 days = 768 MiB.
#define LIMIT_REPORT_RAW_BYTES 3072
#define LIMIT_REPORT_RAW_HOUR  ((size_t)1 << 20)
