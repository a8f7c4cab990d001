#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What real nodes say to a peer, word for word: recorded once, kept under tests/data/sessions/.

    tests/lab/sessions.py      records them anew (OTP 25, 27 and 29; two sets of flags)

The recorder is called erlclu@10.42.0.1, the Erlang node erlclu@10.42.0.4: a test that replays a
session to an erlclu of that name sends it frames that are meant for it."""

import json
import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
if __name__ == '__main__':
    sys.path[:0] = [str(TESTS)]

from lab.otp import RELEASES  # noqa: E402
from lab.peer import AS_OTP_25, VISIBLE  # noqa: E402

FOLDER = TESTS / 'data' / 'sessions'
TARGET, TARGET_ADDRESS, SPEAKER = 'erlclu@10.42.0.1', '10.42.0.1', 'erlclu@10.42.0.4'
FLAGS = {'plain': VISIBLE, 'full': AS_OTP_25}

# What the Erlang node is made to do: each line leaves some kind of signal on the wire.
DEEDS = (
    "net_adm:ping('{target}')",
    "catch gen_server:call({{nobody, '{target}'}}, hello, 200)",
    "catch gen_server:multi_call(['{target}'], nobody, hello, 200)",
    "gen_server:cast({{nobody, '{target}'}}, [{{a, 1}}, {{b, 2.5}}])",
    "catch rpc:call('{target}', erlang, node, [], 200)",
    "rpc:cast('{target}', erlang, node, [])",
    "catch erpc:call('{target}', erlang, node, [], 200)",
    "spawn('{target}', fun() -> ok end), ok",
    "catch global:register_name(recorded, self())",
    "demonitor(monitor(process, {{nobody, '{target}'}}))",
    "{pid}, demonitor(monitor(process, P))",
    "{pid}, process_flag(trap_exit, true), link(P), unlink(P)",
    "{pid}, process_flag(trap_exit, true), link(P), exit(P, kill)",
    "{pid}, P ! hello",
    "{pid}, spawn(fun() -> link(P), exit({{some, [reason]}}) end), ok",
    "{pid}, P ! {{self(), make_ref(), node(), hd(erlang:ports())}}",
    "{pid}, P ! [0, 255, 256, -1, 2147483647, -2147483648, 1 bsl 40, -(1 bsl 70), 1 bsl 3000]",
    "{pid}, P ! [1.5, -0.0, \"text\", <<\"binary\">>, <<5:3>>, [], [a | b], {{}}, #{{k => v, 1 => #{{}}}}]",
    "{pid}, P ! [fun erlang:node/0, fun(X) -> X end, true, 'an atom', '\\x{{e9}}\\x{{3b1}}']",
    "{pid}, P ! list_to_tuple(lists:seq(1, 300))",
    "{pid}, P ! binary:copy(<<7>>, 2000)",
    "{pid}, P ! alias([explicit_unalias])",
)


def load():
    """The recorded sessions, oldest release first."""
    return [json.loads(path.read_text()) for path in sorted(FOLDER.glob('*.json'))]


def record(lab, release, kind):
    """One node, both ways: it dials the recorder and does its deeds; then it is dialled."""
    from lab.nodes import ErlNode
    from lab.pods import sh
    from lab.scripted import ScriptedNode
    # The recorder lives at the target's address, which belongs to no pod here.
    lab.address = lambda: TARGET_ADDRESS
    sh(f'ip addr add {TARGET_ADDRESS}/32 dev br0')
    try:
        us = ScriptedNode(lab, flags=FLAGS[kind])
        them = ErlNode(lab.pod(4), lab.otp(release), refresh=None).start()
        them.eval('pg:start(recorded), ok')
        them.eval(f"spawn(fun() -> net_kernel:connect_node('{us.name}') end), ok")
        link = us.link()
        time.sleep(0.5)
        pid = (f'P = binary_to_term(<<131,88,119,{len(TARGET)},"{TARGET}",1:32,0:32,'
               f'{link.peer.creation}:32>>)')
        for deed in DEEDS:
            # Not all are answered: whoever waits for ever does so in a process of its own.
            them.eval('spawn(fun() -> ' + deed.format(target=TARGET, pid=pid) + ' end), ok')
            time.sleep(0.05)
        time.sleep(0.3)
        session = {'otp': release, 'flags': kind, 'target': TARGET, 'speaker': SPEAKER,
                   'creation': link.peer.peer_creation, 'speaker_flags': link.peer.peer_flags,
                   'initiator': [data.hex() for data in link.peer.received],
                   'frames': [data.hex() for data in link.raw]}
        link.close()
        dialler = us.dial(them.pod.address, them.port()).handshake()
        session['acceptor'] = [data.hex() for data in dialler.received]
        dialler.close()
        us.close()
    finally:
        lab.clean()
        sh(f'ip addr del {TARGET_ADDRESS}/32 dev br0')
    return session


def main():
    from lab import otp, pods
    otp.fetch()
    pods.enter()
    lab = pods.Lab()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for release in RELEASES:
        for kind in FLAGS:
            session = record(lab, release, kind)
            path = FOLDER / f'otp{release}-{kind}.json'
            path.write_text(json.dumps(session, indent=1) + '\n')
            print(f'{path.name}: {len(session["frames"])} frames, {path.stat().st_size} bytes')
    lab.close()


if __name__ == '__main__':
    main()
