%% SPDX-License-Identifier: Apache-2.0
%% What every Erlang node of the lab runs: the discovery loop of the original program, and a
%% port on which the tests evaluate expressions (no distribution involved, so asking a node
%% about its links changes nothing about them).
-module(lab).
-export([start/1]).

%% -run lab start CONTROL_PORT REFRESH_MS|never NAME
start([Port, Refresh, Name]) ->
    {ok, Listen} = gen_tcp:listen(list_to_integer(Port),
                                  [binary, {packet, 4}, {active, false}, {reuseaddr, true}]),
    spawn(fun() -> accept(Listen) end),
    case Refresh of
        "never" -> ok;
        _ -> spawn(fun() -> refresh_loop(list_to_integer(Refresh), Name) end)
    end,
    receive stop -> ok end.

refresh_loop(Ms, Name) ->
    refresh(Name),
    timer:sleep(Ms),
    refresh_loop(Ms, Name).

refresh(Name) ->
    Addresses = inet_res:lookup(Name, in, a),
    Nodes = [list_to_atom(lists:flatten(["erlclu@", inet:ntoa(A)])) || A <- Addresses],
    [net_kernel:connect_node(Node) || Node <- Nodes],
    ok.

accept(Listen) ->
    {ok, Socket} = gen_tcp:accept(Listen),
    Pid = spawn(fun() -> receive go -> serve(Socket) end end),
    ok = gen_tcp:controlling_process(Socket, Pid),
    Pid ! go,
    accept(Listen).

serve(Socket) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, Text} ->
            ok = gen_tcp:send(Socket, answer(unicode:characters_to_list(Text))),
            serve(Socket);
        {error, _} ->
            gen_tcp:close(Socket)
    end.

answer(Text) ->
    try eval(Text) of
        {text, Chars} -> [$+, unicode:characters_to_binary(Chars)];
        Value -> [$+, unicode:characters_to_binary(io_lib:format("~0tp", [Value]))]
    catch
        Class:Reason ->
            [$-, unicode:characters_to_binary(io_lib:format("~0tp", [{Class, Reason}]))]
    end.

eval(Text) ->
    {ok, Tokens, _} = erl_scan:string(Text ++ "."),
    {ok, Exprs} = erl_parse:parse_exprs(Tokens),
    {value, Value, _} = erl_eval:exprs(Exprs, []),
    Value.
