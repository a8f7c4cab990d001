/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_NAMES_H
#define BASE_NAMES_H

#include "base/base.h"

/* What names of nodes and hosts may be, for every layer; the sentences about it are each layer's.
 * A name that people or discovery write down is held to what can be dialled (name_base_fault,
 * name_host_fault); one that a peer says of itself, to what can be shown and sent on
 * (name_is_of_node). */

/* Longest full node name, in bytes: an atom's 255 characters, and what a BEAM accepts. */
#define NODE_NAME_MAX 255
/* A node name as a field. */
#define NODE_NAME_SIZE (NODE_NAME_MAX + 1)
/* Longest DNS name as text (RFC 1035: 255 octets on the wire, 253 as text and a final dot). */
#define HOST_NAME_SIZE 256
/* RFC 1035 2.3.4: 63 octets a label. */
#define LABEL_MAX  63
#define LABEL_SIZE (LABEL_MAX + 1)

enum name_fault {
    NAME_IS_FINE,
    NAME_EMPTY,
    NAME_TOO_LONG,
    NAME_BAD_BYTE,
    NAME_EMPTY_LABEL,
    NAME_LONG_LABEL,
    NAME_FAULTS,
};

/* name_base_fault: what stands before the '@': letters, digits, '-' and '_', at least one. Its
 * length is the whole name's matter. */
enum name_fault name_base_fault(clu_slice base);
/* name_host_fault: a DNS name: the same bytes, in labels of 1 to 63, 253 in all, a final dot
 * allowed. An IP address is looked for first by those who allow one. */
enum name_fault name_host_fault(clu_slice host);
/* name_is_host_part: printable ASCII without spaces and '@', at least one byte. */
bool name_is_host_part(clu_slice host);
/* name_is_of_node: NAME@HOST, one '@', both parts not empty, printable ASCII without spaces (what a
 * BEAM gives itself; a host beyond ASCII would have two spellings, Latin-1 in the handshake and
 * UTF-8 in pids), at most NODE_NAME_MAX bytes. */
bool name_is_of_node(clu_slice name);
/* name_make: base "@" host; false, and "", when that is too long. */
bool name_make(char out[NODE_NAME_SIZE], clu_slice base, const char *host);
/* name_host: the host part of a full name; "" when there is none. */
const char *name_host(const char *name);

#endif
