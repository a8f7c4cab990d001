%% SPDX-License-Identifier: Apache-2.0
%%
%% Terms of every type, with a liking for the edges: of tags, of sizes, of what is printable.
-module(etf_terms).
-export([term/0, record/0, identifier/0, float/0, mutate/1]).

%% Without pids, ports, references and funs: text can say it.
term() ->
    term(4).

term(0) ->
    leaf();
term(Depth) ->
    case rand:uniform(12) of
        1 -> list(Depth);
        2 -> [term(Depth - 1) | leaf()];
        3 -> list_to_tuple(list(Depth));
        4 -> maps:from_list([{term(Depth - 1), term(Depth - 1)} || _ <- few(6)]);
        5 -> [list(Depth), list(Depth)];
        6 when Depth =:= 4 -> wide();
        _ -> leaf()
    end.

list(Depth) ->
    [term(Depth - 1) || _ <- few(6)].

%% A native record of OTP 29, with terms in it and perhaps in a term, and a list of these terms; not
%% called by releases before.
record() ->
    [Module, Name | Names] = [atom() || _ <- [module, name | few(6)]],
    Fields = [{Field, term(2)} || Field <- lists:usort(Names)],
    Record = records:create(Module, Name, Fields, #{is_exported => pick([true, false])}),
    Leaf = leaf(),
    {pick([Record, [Record | Leaf], {Record, Leaf}, #{Record => Leaf}, #{Leaf => Record}]),
     [Module, Name, Leaf, Fields]}.

%% Containers around the sizes where tags change.
wide() ->
    case rand:uniform(6) of
        1 -> list_to_tuple([leaf() || _ <- lists:seq(1, pick([255, 256, 300]))]);
        2 -> [rand:uniform(256) - 1 || _ <- lists:seq(1, pick([255, 256, 5000]))];
        3 -> lists:duplicate(pick([65534, 65535, 65536, 65537]), $x);
        4 -> maps:from_list([{integer(), I} || I <- lists:seq(1, pick([31, 32, 33, 100]))]);
        5 -> lists:foldl(fun(_, T) -> pick([[T], {T}, #{k => T}, [a | T]]) end, [], lists:seq(1, 200));
        6 -> rand:bytes(pick([255, 256, 70000]))
    end.

leaf() ->
    case rand:uniform(10) of
        1 -> integer();
        2 -> integer();
        3 -> float();
        4 -> atom();
        5 -> string();
        6 -> binary();
        7 -> bits();
        8 -> pick([[], {}, #{}, <<>>, [[]], [{}], "", {[]}, <<0:1>>]);
        9 -> export();
        10 -> atom()
    end.

integer() ->
    pick([fun() -> rand:uniform(256) - 1 end,
          fun() -> edge() + pick([-1, 0, 1]) end,
          fun() -> -edge() + pick([-1, 0, 1]) end,
          fun() -> sign() * bits_of(rand:uniform(70)) end,
          fun() -> sign() * bits_of(rand:uniform(2500)) end,
          fun() -> one_of(20, fun() -> sign() * bits_of(rand:uniform(32768)) end, fun edge/0) end]).

%% Where a tag, a byte, or a machine's word ends.
edge() ->
    1 bsl pick([0, 7, 8, 16, 27, 28, 31, 32, 53, 59, 60, 63, 64, 128, 2039, 2040, 2048]).

bits_of(N) ->
    <<I:N>> = <<(rand:bytes((N + 7) div 8)):N/bits>>,
    I.

float() ->
    pick([fun() -> finite(rand:bytes(8)) end,
          fun() -> finite(<<(rand:uniform(2) - 1):1, 0:11, (rand:bytes(7)):52/bits>>) end,
          fun() -> finite(<<(rand:uniform(2) - 1):1, (rand:uniform(2047) - 1):11, 0:52>>) end,
          fun() -> finite(<<0:1, (rand:uniform(2047) - 1):11, -1:52>>) end,
          fun() -> sign() * rand:uniform(1000000) / pick([1, 10, 100, 1000, 7]) end,
          fun() -> sign() * rand:uniform(9) * math:pow(10, rand:uniform(40) - 20) end,
          fun() -> float(bits_of(rand:uniform(64))) end,
          fun() -> pick([0.0, -0.0, 5.0e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
                         9007199254740991.0, 9007199254740992.0, -9007199254740992.0, 0.1, 1.0e22, 1.0e23]) end]).

finite(<<Bits:64>>) ->
    case <<Bits:64>> of
        <<F/float>> -> F;
        _ -> 1.5
    end.

atom() ->
    list_to_atom(pick([fun() -> pick(["", "a", "A", "a@b", "a b", "if", "when", "maybe", "else", "ok", "'", "\\", "\"", "a.b", "_", "1"]) end,
                       fun() -> word() end,
                       fun() -> word() end,
                       fun() -> [char() || _ <- few(8)] end,
                       fun() -> lists:duplicate(pick([63, 64, 127, 128, 254, 255]), pick([$a, $\x{e9}, $\x{436}, $\x{1f600}])) end])).

%% A few thousand in all: the atom table is finite.
word() ->
    [$a + rand:uniform(2), lists:nth(rand:uniform(10), "abzAZ09_@\x{e9}") | integer_to_list(rand:uniform(100))].

char() ->
    pick([fun() -> 31 + rand:uniform(95) end,
          fun() -> 31 + rand:uniform(95) end,
          fun() -> pick("\n\t\b\f\v\e\r\d\\\"'") end,
          fun() -> pick([0, 1, 26, 31, 32, 126, 127, 128, 159, 160, 215, 223, 247, 255]) end,
          fun() -> pick([256, 1078, 16#7ff, 16#800, 16#d7ff, 16#e000, 16#fffd, 16#10000, 16#10ffff]) end]).

string() ->
    pick([fun() -> [31 + rand:uniform(95) || _ <- few(20)] end,
          fun() -> [char() || _ <- few(10)] end,
          fun() -> binary_to_list(rand:bytes(rand:uniform(10))) end,
          fun() -> [31 + rand:uniform(95) || _ <- few(5)] ++ leaf() end]).

binary() ->
    pick([fun() -> list_to_binary([31 + rand:uniform(95) || _ <- few(20)]) end,
          fun() -> unicode:characters_to_binary([char() || _ <- few(8)]) end,
          fun() -> << <<C>> || C <- [char() || _ <- few(8)] >> end,
          fun() -> rand:bytes(rand:uniform(10)) end]).

bits() ->
    N = rand:uniform(100),
    <<B:N/bits, _/bits>> = rand:bytes(16),
    B.

%% In ASCII and no words of the language: the older releases show the bytes of UTF-8 one by one, and
%% words without the quotes that reading them takes.
export() ->
    erlang:make_fun(ascii_atom(), ascii_atom(), rand:uniform(256) - 1).

ascii_atom() ->
    pick([lists, 'Elixir.Enum', 'a b', 'A', a_1, '', list_to_atom([$a | integer_to_list(rand:uniform(100))])]).

%% What text cannot say, alone or in a tuple.
identifier() ->
    pick([fun() -> self() end,
          fun() -> make_ref() end,
          fun() -> pick(erlang:ports()) end,
          fun() -> external(<<88, (node_atom())/binary, (word32()):32, (word32()):32, (rand:uniform(99)):32>>) end,
          fun() -> external(<<89, (node_atom())/binary, (word32() rem (1 bsl 28)):32, (rand:uniform(99)):32>>) end,
          fun() -> external(<<120, (node_atom())/binary, (word32()):64, (rand:uniform(99)):32>>) end,
          fun() -> reference(rand:uniform(5)) end,
          fun() -> Free = leaf(), fun() -> Free end end,
          fun() -> fun(X) -> X end end]).

reference(N) ->
    Words = << <<(word32() rem (1 bsl 18)):32>> || _ <- lists:seq(1, N) >>,
    external(<<90, N:16, (node_atom())/binary, (rand:uniform(99)):32, Words/binary>>).

word32() ->
    pick([0, 1, 1 bsl 15, (1 bsl 15) - 1, (1 bsl 28) - 1, rand:uniform(1 bsl 15)]).

node_atom() ->
    Name = pick([<<"a@10.0.0.1">>, <<"erlclu@127.0.0.1">>, <<"rabbit@pod-0.svc.ns">>]),
    <<119, (byte_size(Name)), Name/binary>>.

external(Bytes) ->
    binary_to_term(<<131, Bytes/binary>>).

%% A text with one or two of its characters gone, doubled, or become another.
mutate(Text) ->
    Chars = unicode:characters_to_list(Text),
    unicode:characters_to_binary(lists:foldl(fun(_, Cs) -> mutate_one(Cs) end, Chars, few(2) ++ [1])).

mutate_one([]) ->
    [sign_char()];
mutate_one(Chars) ->
    {Before, [C | After]} = lists:split(rand:uniform(length(Chars)) - 1, Chars),
    case rand:uniform(4) of
        1 -> Before ++ After;
        2 -> Before ++ [C, C | After];
        3 -> Before ++ [sign_char() | After];
        4 -> Before ++ [sign_char(), C | After]
    end.

sign_char() ->
    pick("{}[]()<>,|:;/-+#=.$\"'\\%_@^ \n\tabefnx019AZ~!?*").

few(Max) ->
    lists:seq(1, rand:uniform(Max + 1) - 1).

sign() ->
    pick([1, -1]).

one_of(N, Rare, Often) ->
    case rand:uniform(N) of
        1 -> Rare();
        _ -> Often()
    end.

pick(List) ->
    case lists:nth(rand:uniform(length(List)), List) of
        Fun when is_function(Fun, 0) -> Fun();
        Value -> Value
    end.
