/* SPDX-License-Identifier: Apache-2.0
 *
 * dist: the distribution protocol as machines that are fed bytes and emit bytes: epmd, handshake,
 * channel, control messages.
 *   knows: frames, flags, digests, names; one connection at a time.
 *   must not know: sockets, clocks (the time is an argument), other connections, processes, policy.
 */
#ifndef DIST_FLAGS_H
#define DIST_FLAGS_H

#include <stddef.h>
#include <stdint.h>

/* Capability flags (OTP: erts/emulator/beam/dist.h, erl_dist_protocol "Distribution Flags"). */
#define DFLAG_PUBLISHED           UINT64_C(0x1)
#define DFLAG_EXTENDED_REFERENCES UINT64_C(0x4)
#define DFLAG_DIST_MONITOR        UINT64_C(0x8)
#define DFLAG_FUN_TAGS            UINT64_C(0x10)
#define DFLAG_DIST_MONITOR_NAME   UINT64_C(0x20)
#define DFLAG_NEW_FUN_TAGS        UINT64_C(0x80)
#define DFLAG_EXTENDED_PIDS_PORTS UINT64_C(0x100)
#define DFLAG_EXPORT_PTR_TAG      UINT64_C(0x200)
#define DFLAG_BIT_BINARIES        UINT64_C(0x400)
#define DFLAG_NEW_FLOATS          UINT64_C(0x800)
#define DFLAG_UNICODE_IO          UINT64_C(0x1000)
#define DFLAG_DIST_HDR_ATOM_CACHE UINT64_C(0x2000)
#define DFLAG_SMALL_ATOM_TAGS     UINT64_C(0x4000)
#define DFLAG_UTF8_ATOMS          UINT64_C(0x10000)
#define DFLAG_MAP_TAG             UINT64_C(0x20000)
#define DFLAG_BIG_CREATION        UINT64_C(0x40000)
#define DFLAG_SEND_SENDER         UINT64_C(0x80000)
#define DFLAG_BIG_SEQTRACE_LABELS UINT64_C(0x100000)
#define DFLAG_EXIT_PAYLOAD        UINT64_C(0x400000)
#define DFLAG_FRAGMENTS           UINT64_C(0x800000)
#define DFLAG_HANDSHAKE_23        UINT64_C(0x1000000)
#define DFLAG_UNLINK_ID           UINT64_C(0x2000000)
/* Documentation says bit 36, the code and the wire say this one. */
#define DFLAG_MANDATORY_25_DIGEST UINT64_C(0x4000000)
#define DFLAG_SPAWN               (UINT64_C(1) << 32)
#define DFLAG_NAME_ME             (UINT64_C(1) << 33)
#define DFLAG_V4_NC               (UINT64_C(1) << 34)
#define DFLAG_ALIAS               (UINT64_C(1) << 35)
#define DFLAG_ALTACT_SIG          (UINT64_C(1) << 37)
#define DFLAG_NATIVE_RECORDS      (UINT64_C(1) << 38)

/* What OTP 25 demands of a peer, and what MANDATORY_25_DIGEST stands for. */
#define DFLAGS_MANDATORY_25                                                                        \
    (DFLAG_EXTENDED_REFERENCES | DFLAG_FUN_TAGS | DFLAG_NEW_FUN_TAGS | DFLAG_EXTENDED_PIDS_PORTS | \
     DFLAG_EXPORT_PTR_TAG | DFLAG_BIT_BINARIES | DFLAG_NEW_FLOATS | DFLAG_UTF8_ATOMS |             \
     DFLAG_MAP_TAG | DFLAG_BIG_CREATION | DFLAG_HANDSHAKE_23)
/* What OTP 26 and later demand. */
#define DFLAGS_MANDATORY_26 (DFLAGS_MANDATORY_25 | DFLAG_UNLINK_ID | DFLAG_V4_NC)

/* What we offer: never a flag whose bytes are not handled. */
#define DFLAGS_OFFERED                                                                             \
    (DFLAGS_MANDATORY_26 | DFLAG_MANDATORY_25_DIGEST | DFLAG_DIST_MONITOR |                        \
     DFLAG_DIST_MONITOR_NAME | DFLAG_UNICODE_IO | DFLAG_SMALL_ATOM_TAGS | DFLAG_SEND_SENDER |      \
     DFLAG_BIG_SEQTRACE_LABELS | DFLAG_EXIT_PAYLOAD | DFLAG_SPAWN | DFLAG_ALIAS |                  \
     DFLAG_ALTACT_SIG | DFLAG_DIST_HDR_ATOM_CACHE | DFLAG_FRAGMENTS)

/* What we demand: the same as OTP 25 does, the oldest release that we promise. */
#define DFLAGS_DEMANDED DFLAGS_MANDATORY_25

/* dflags_expand: what a peer offers, the one bit that stands for many written out. */
static inline uint64_t dflags_expand(uint64_t flags)
{
    return flags & DFLAG_MANDATORY_25_DIGEST ? flags | DFLAGS_MANDATORY_25 : flags;
}

/* dflags_text: the names of the flags, without DFLAG_, separated by a blank; unnamed bits as one
 * number in hex. Cut at size, always terminated. Returns out. */
const char *dflags_text(uint64_t flags, char *out, size_t size);

#endif
