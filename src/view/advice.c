/* SPDX-License-Identifier: Apache-2.0 */
#include "view/advice.h"

static const char *const advice[] = {
    [STAGE_NONE] = "No attempt has failed yet: it is dialled by itself. If its link does not last, "
                   "look into the log of the peer.",
    [STAGE_DNS] = "The host part of its name does not resolve here: check the name, the DNS server "
                  "and the search list of this machine.",
    [STAGE_TCP_REFUSED] = "The machine answers, but nothing listens at that port: check that the "
                          "node runs, that it listens at this address and not at 127.0.0.1 alone "
                          "(inet_dist_use_interface, ERL_EPMD_ADDRESS), and that both sides agree "
                          "on the port.",
    [STAGE_TCP_TIMEOUT] =
        "No answer came: check that the pod is still there and that a route leads "
        "to it, and look for a NetworkPolicy or firewall on the distribution port "
        "and 4369.",
    [STAGE_EPMD_UNKNOWN] =
        "The epmd there knows no such node: where the node has started, the name "
        "that is listed must be its -name; what stands before the @ of listed "
        "addresses (dns:, srv:, k8s:) is said with ?base=NAME.",
    [STAGE_CLOSED] = "It said no word that a node says: look for a TLS listener or a service-mesh "
                     "proxy at that port, and into the log of the peer.",
    [STAGE_SILENT] = "The port is open but nothing answers: the node hangs, is overloaded or "
                     "stopped, or something else listens there, such as a TLS listener or a "
                     "service-mesh proxy.",
    [STAGE_NO_EPMD] = "Something else listens at the port of epmd: give the right one with "
                      "--epmd-port, or go without epmd by --epmd none.",
    [STAGE_NAME_MISMATCH] = "Another name answers there: make the -name of the peer equal the name "
                            "that discovery gives it, or say with ?name= how the names are made; "
                            "?base=* learns them.",
    [STAGE_FLAGS] = "The two do not speak the same protocol: the peer needs OTP 25 or later; its "
                    "log names the flag that it misses.",
    [STAGE_NOT_ALLOWED] = "The peer does not let this node in: it is about to stop, it is called "
                          "as this node is, its net_kernel:allow/1 does not list this node, or "
                          "another release is needed; its log says which.",
    [STAGE_COOKIE] = "The cookies differ: compare --cookie-file or RELEASE_COOKIE here with "
                     "-setcookie there, trailing newline included.",
    [STAGE_TLS] = "The TLS handshake failed: check that both sides use -proto_dist inet_tls and "
                  "that each trusts the other's certificate.",
    [STAGE_HERE] = "The fault is on this side, as the reason says: look at the memory here, the "
                   "limit of open files, the addresses, and how many peers are listed.",
};

/* Where discovery and the places that it lists are no matter. */
static const char *const on_asked[COUNT(advice)] = {
    [STAGE_TCP_REFUSED] = "The machine answers, but nothing listens at that port: check that the "
                          "node runs, and the port: --epmd-port is that of epmd, --port that of "
                          "the node where there is none.",
    [STAGE_TCP_TIMEOUT] =
        "No answer came: check the host part of the name, that the machine is still there and that "
        "a route leads to it, and look for a firewall or NetworkPolicy on the distribution port "
        "and 4369. Through a port-forward it is reached with --address HOST:PORT.",
    [STAGE_EPMD_UNKNOWN] = "The epmd there knows no such node: check the part of the name before "
                           "the @; erlclu names HOST lists what there is.",
    [STAGE_NO_EPMD] = "Something else listens at the port of epmd: give the right one with "
                      "--epmd-port, or go without epmd by --port, the port of the node.",
    [STAGE_NAME_MISMATCH] = "Another name answers there: ask for the node by the name that it has.",
    [STAGE_HERE] = "The fault is on this side, as the reason says: look at the memory here, the "
                   "limit of open files, and the addresses.",
};

const char *advice_on_asked(enum stage stage)
{
    return on_asked[stage] != NULL ? on_asked[stage] : advice[stage];
}

const char *advice_of(enum stage stage)
{
    return advice[stage];
}
