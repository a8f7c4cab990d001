%% SPDX-License-Identifier: Apache-2.0
%% Sink and echo on a BEAM, and the BEAM as a client of both.
-module(msg).
-export([server/1, client/1, sink/0, echo/0]).

-define(LOADS, [{16, 300000}, {1024, 200000}, {65536, 8000}, {1048576, 500}]).
-define(REPEATS, 5).
-define(ROUND_TRIPS, 20000).
-define(WARM_UP, 2000).

server(_) ->
    register(sink, spawn(fun sink/0)),
    register(gulp, spawn(fun sink/0)),
    register(echo, spawn(fun echo/0)).

sink() -> sink(0, 0).

%% {done, From} comes last: the same sender, so in order.
sink(N, Bytes) ->
    receive
        Data when is_binary(Data) -> sink(N + 1, Bytes + byte_size(Data));
        {done, From} -> From ! {ack, N, Bytes}, sink(0, 0);
        {push, To, Size, Count} -> push(To, binary:copy(<<"x">>, Size), Count), sink(N, Bytes)
    end.

push(_, _, 0) -> ok;
push(To, Data, N) -> To ! Data, push(To, Data, N - 1).

echo() ->
    receive {ping, From, Data} -> From ! Data, echo() end.

client([Peer | Words]) ->
    Node = list_to_atom(Peer),
    net_kernel:connect_node(Node) orelse halt(3),
    timer:sleep(200),
    [measure(string:split(Word, ":"), Node) || Word <- Words],
    halt().

measure(["pingpong"], Node) -> trips("pingpong", fun() -> ping(Node) end);
measure(["oneway" | Sizes], Node) ->
    [one_way(Node, Size, Count) || {Size, Count} <- ?LOADS, Sizes =:= [] orelse Sizes =:= [integer_to_list(Size)]];
measure(["push" | Sizes], Node) ->
    [pushed(Node, Size, Count) || {Size, Count} <- ?LOADS, Sizes =:= [] orelse Sizes =:= [integer_to_list(Size)]];
measure(["gigabyte"], Node) ->
    Self = self(),
    spawn(fun() ->
        Data = binary:copy(<<0>>, 1 bsl 30),
        Self ! ready,
        {gulp, Node} ! Data,
        {gulp, Node} ! {done, Self}
    end),
    receive ready -> ok end,
    Times = lists:sort(pings(Node)),
    [io:format("gigabyte_~s 16 ~.2f~n", [Name, lists:nth((length(Times) - 1) * Part div 1000 + 1, Times) / 1000])
     || {Name, Part} <- [{p50, 500}, {p99, 990}, {longest, 1000}]];
measure([Rpc], Node) ->
    Module = list_to_existing_atom(Rpc),
    trips(Rpc, fun() -> Node = Module:call(Node, erlang, node, []) end).

one_way(Node, Size, Count) ->
    Data = binary:copy(<<"x">>, Size),
    Rates = [Count * 1.0e9 / timed(fun() -> load({sink, Node}, Data, Count) end) || _ <- lists:seq(1, ?REPEATS)],
    io:format("oneway ~w ~w~n", [Size, round(lists:nth(?REPEATS div 2 + 1, lists:sort(Rates)))]).

pushed(Node, Size, Count) ->
    Rates = [Count * 1.0e9 / timed(fun() -> {sink, Node} ! {push, self(), Size, Count}, take(Count) end)
             || _ <- lists:seq(1, ?REPEATS)],
    io:format("push ~w ~w~n", [Size, round(lists:nth(?REPEATS div 2 + 1, lists:sort(Rates)))]).

take(0) -> ok;
take(N) -> receive Data when is_binary(Data) -> take(N - 1) end.

load(Sink, Data, Count) ->
    push(Sink, Data, Count),
    Sink ! {done, self()},
    receive {ack, Count, _} -> ok end.

ping(Node) ->
    {echo, Node} ! {ping, self(), <<"xxxxxxxxxxxxxxxx">>},
    receive <<"xxxxxxxxxxxxxxxx">> -> ok end.

pings(Node) ->
    receive {ack, 1, _} -> [] after 0 -> [timed(fun() -> ping(Node) end) | pings(Node)] end.

trips(What, Trip) ->
    [Trip() || _ <- lists:seq(1, ?WARM_UP)],
    Times = lists:sort([timed(Trip) || _ <- lists:seq(1, ?ROUND_TRIPS)]),
    io:format("~s 16 ~.2f ~.2f~n", [What, lists:nth(?ROUND_TRIPS div 2, Times) / 1000,
                                    lists:nth(?ROUND_TRIPS * 99 div 100, Times) / 1000]).

timed(Fun) ->
    Begin = erlang:monotonic_time(nanosecond),
    Fun(),
    erlang:monotonic_time(nanosecond) - Begin.
