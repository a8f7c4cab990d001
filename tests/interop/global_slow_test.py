# SPDX-License-Identifier: Apache-2.0
"""global: a peer that does not read, whose link is not cut for that, nor are those of the others; and one that
knows us while we do not know it."""

import json
import struct
import threading

from global_test import GlobalCase
from lab.nodes import eventually
from lab.peer import OP_MONITOR_P
from lab.wire import VERSION, Atom, encode, pid, ref

LIMIT = 16 << 20  # bytes in a queue at which a link ends where global is off


class Slow(GlobalCase):
    def mute(self, clu):
        """A peer that only asks: each of its monitors is answered, since nobody has that name."""
        node = self.scripted('mute')
        peer = node.dial(clu.pod.address, self.dist_port(clu)).handshake()
        peer.sock.settimeout(600)
        body = b'p' + bytes([VERSION]) + encode((OP_MONITOR_P, pid(node.name, 1, peer.creation), Atom('nobody'),
                                                 ref(node.name, peer.creation, 1, 2, 3)))
        return node, peer, struct.pack('>I', len(body)) + body

    def begin(self, ticktime):
        ticks = ['-kernel', 'net_ticktime', str(ticktime)]
        self.start(args=ticks)
        args = self.lab.pod(6).dir / 'vm.args'
        args.write_text(' '.join(ticks) + '\n')
        return self.program('--args-file', args)

    def whole(self, clu):
        for erl in self.erls:
            self.assertEqual({n.name for n in (*self.erls, clu)} - {erl.name}, erl.nodes() - {self.asker.name})
        self.assert_registers()

    def queued(self, clu, node):
        peers = json.loads(clu.get('/api/v1/peers')[1])
        return next(peer['queued_bytes'] for peer in peers['peers'] if peer['name'] == node.name)

    def test_does_not_read(self):
        clu = self.begin(ticktime=300)
        node, peer, frame = self.mute(clu)
        count = 300 * 1000
        asking = threading.Thread(target=lambda: peer.sock.sendall(frame * count), daemon=True)
        asking.start()
        eventually('it is found not to read', 40, lambda: clu.cluster()['not_reading'] == [node.name], interval=0.2)
        eventually('more waits than a link would bear', 150, lambda: self.queued(clu, node) > LIMIT, interval=0.2)
        self.assertIn('does not read', clu.log())
        self.assertIn(node.name, clu.nodes())
        self.whole(clu)
        answers, left = 0, b''
        while answers < count:
            left += peer.sock.recv(1 << 20)
            while len(left) >= 4 and len(left) >= 4 + struct.unpack('>I', left[:4])[0]:
                size = struct.unpack('>I', left[:4])[0]
                answers += b'noproc' in left[4:4 + size]
                left = left[4 + size:]
        asking.join(10)
        eventually('it reads again', 10, lambda: clu.cluster()['not_reading'] == [])
        self.assertIn(node.name, clu.nodes())
        peer.close()

    def test_never_reads(self):
        """It is given up with net_ticktime, though it says something all the while."""
        clu = self.begin(ticktime=8)
        node, peer, frame = self.mute(clu)

        def talk():
            try:
                while True:
                    peer.sock.sendall(frame * 1000)
            except OSError:
                return

        threading.Thread(target=talk, daemon=True).start()
        eventually('it is there', 8, lambda: node.name in clu.nodes())
        eventually('it is given up', 30, lambda: node.name not in clu.nodes(), interval=0.2)
        self.assertIn('has read nothing for a whole net_ticktime', clu.log())
        self.whole(clu)


class OneSided(GlobalCase):
    def test_one_knows_the_other(self):
        """An Erlang node is told by a third to know ours: it says that it is in sync, and behind that nothing
        follows. Ours asks it, and has the link cut; then they meet as others do."""
        self.start(linked=False)
        erl = self.erls[0]
        self.erls = [erl]
        self.asker.eval(f"gen_server:cast({{global_name_server, '{erl.name}'}}, {{new_nodes, '{erl.name}', [], [], "
                        f"[{{'{self.namer.name}', 8}}], [{{vsn, 8}}, {{lock, undefined}}]}})")
        eventually('it believes to know us', 10, lambda: self.known(erl) == {self.namer.name})
        eventually('they are linked', 10, lambda: self.namer.name in erl.nodes())
        self.assertEqual(set(), self.known(self.namer))
        eventually('it does not any more', 60, lambda: self.known(erl) == set(), interval=0.2)
        self.join()
        self.assertEqual('yes', self.ask('register, [x, exit]'))
        self.assert_owner('x', self.namer.name)
