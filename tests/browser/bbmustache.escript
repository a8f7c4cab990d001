#!/usr/bin/env escript
%% SPDX-License-Identifier: Apache-2.0
%% bbmustache.escript TEMPLATE COOKIE NODE...: the page as the Erlang program renders it that our
%% page replaces: atoms by name, nodes sorted.
main([File, Cookie | Names]) ->
    {ok, Template} = file:read_file(File),
    Nodes = [list_to_atom(Name) || Name <- Names],
    Values = #{node => hd(Nodes), nodes => lists:sort(Nodes), cookie => list_to_atom(Cookie)},
    ok = io:setopts(standard_io, [{encoding, latin1}]),
    ok = file:write(standard_io, bbmustache:render(Template, Values, [{key_type, atom}])).
