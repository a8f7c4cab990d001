%% SPDX-License-Identifier: Apache-2.0
%% The rival in the VM: term_to_binary and binary_to_term of the same terms, each measurement in a
%% process of its own, garbage collection included.
-module(etf_beam).
-export([gen/1, check/1, bench/1]).

-define(SLOT, 100). % milliseconds that a figure is measured for, at least

%% -run etf_beam gen DIR: each term as DIR/SHAPE.etf.
gen([Dir]) ->
    [ok = file:write_file(file(Dir, Name, ".etf"), term_to_binary(Term)) || {Name, Term} <- terms()],
    halt().

%% -run etf_beam check DIR: what the others wrote must be the same terms.
check([Dir]) ->
    Wrong = [Name ++ Ending || {Name, Term} <- terms(), Ending <- [".ei", ".clu"],
                               begin {ok, Bytes} = file:read_file(file(Dir, Name, Ending)),
                                     binary_to_term(Bytes) =/= Term end],
    [io:format("~s is another term~n", [File]) || File <- Wrong],
    halt(length(Wrong)).

bench(_) ->
    [begin
         Bytes = term_to_binary(Term),
         report("enc", Name, Bytes, fun(N) -> encode(Term, N, <<>>) end),
         report("dec", Name, Bytes, fun(N) -> decode(Bytes, N, []) end)
     end || {Name, Term} <- terms()],
    halt().

file(Dir, Name, Ending) -> filename:join(Dir, Name ++ Ending).

terms() ->
    Bin = << <<($a + I rem 26)>> || I <- lists:seq(0, (1 bsl 20) - 1) >>,
    Desc = binary:copy(binary:part(Bin, 0, 40)),
    [{"gencall", {'$gen_call', {pid(), ref()}, {get, 42}}},
     {"ints100", [I * 1000 || I <- lists:seq(1, 100)]},
     {"map50", maps:from_list([{text("key_~2..0w", I), text("value_~4..0w", I)} || I <- lists:seq(1, 50)])},
     {"plist", [part(I, Desc) || I <- lists:seq(1, 50)]},
     {"floats", [I / 3 || I <- lists:seq(1, 1000)]},
     {"bin1m", Bin}].

part(I, Desc) ->
    Name = text("section_~w", I),
    {binary_to_atom(Name), [{name, Name}, {port, 4000 + I}, {enabled, true}, {ratio, I / 7}, {tags, [a, b, c]},
                            {addr, {10, 0, 0, I}}, {desc, Desc}]}.

text(Format, I) -> iolist_to_binary(io_lib:format(Format, [I])).

%% As if they had come from another node.
pid() -> binary_to_term(<<131, 88, 119, 13, "n17@10.0.0.17", 1234:32, 5:32, 16#65432100:32>>).
ref() -> binary_to_term(<<131, 90, 3:16, 119, 13, "n17@10.0.0.17", 16#65432100:32, 111:32, 222:32, 333:32>>).

%% The last result is the function's: what nobody uses is optimised away.
encode(_, 0, Last) -> Last;
encode(Term, N, _) -> encode(Term, N - 1, term_to_binary(Term)).

decode(_, 0, Last) -> Last;
decode(Bytes, N, _) -> decode(Bytes, N - 1, binary_to_term(Bytes)).

report(What, Name, Bytes, Fun) ->
    {N, Time} = enough(Fun, 16),
    io:format("~s ~s ~w ~w~n", [What, Name, byte_size(Bytes), round(N / (Time / 1000))]).

enough(Fun, N) ->
    case time(Fun, N) of
        Time when Time < ?SLOT -> enough(Fun, N * 2);
        Time -> {N, Time}
    end.

%% CPU time of all threads: run it with +S 1:1 +sbwt none.
time(Fun, N) ->
    Self = self(),
    spawn_link(fun() ->
                       {Start, _} = statistics(runtime),
                       Fun(N),
                       {End, _} = statistics(runtime),
                       Self ! {self, End - Start}
               end),
    receive {self, Time} -> Time end.
