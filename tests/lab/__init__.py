# SPDX-License-Identifier: Apache-2.0
"""The laboratory: real Erlang nodes, erlclu and scripted peers on a network of their own.

lab.otp     Erlang/OTP 25, 27 and 29
lab.pods    network namespaces that look like pods, and the processes in them
lab.nodes   an Erlang node and an erlclu node in a pod
lab.wire    the External Term Format, as far as the tests need it
lab.peer    a distribution peer whose every handshake step can be stalled, mutated or cut
lab.epmd    an epmd and an epmd client that can be slow, partial or hostile
lab.dns     a DNS server that says what the test tells it to
lab.scripted  a whole node of the test's making: address, epmd, distribution port
lab.sessions  what real nodes said, recorded; lab.mutate changes it one field at a time
lab.case    what the tests under tests/interop have in common
lab.run     the runner: `tests/lab/run.py [FILE...] [-k WORD]`
"""
