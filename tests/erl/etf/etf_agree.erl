%% SPDX-License-Identifier: Apache-2.0
%%
%% Compares etf-tool, which is the codec, with the VM that runs this.
-module(etf_agree).
-export([main/1]).

main([Tool, Terms, Seed]) ->
    rand:seed(exsss, list_to_integer(Seed)),
    Port = open_port({spawn_executable, Tool}, [{packet, 4}, binary]),
    N = list_to_integer(Terms),
    Counts = [terms(Port, N), floats(Port, N), identifiers(Port, N div 10), refused(Port), spellings(Port), mutations(Port, N div 2)],
    Failed = lists:sum([F || {_, F} <- Counts]),
    io:format("~b passed, ~b failed~n", [lists:sum([P || {P, _} <- Counts]), Failed]),
    halt(min(Failed, 1)).

%% One check for each of the cases that Next makes; the first failures are shown.
run(What, N, Check) ->
    run(What, N, Check, {0, 0}).

run(_, 0, _, Counts) ->
    Counts;
run(What, N, Check, {Passed, Failed}) ->
    case Check(N) of
        ok ->
            run(What, N - 1, Check, {Passed + 1, Failed});
        Wrong ->
            Failed < 5 andalso io:format("~s: ~ts~n", [What, shorten(io_lib:format("~0tp", [Wrong]))]),
            run(What, N - 1, Check, {Passed, Failed + 1})
    end.

shorten(Text) ->
    unicode:characters_to_binary(lists:sublist(lists:flatten(Text), 2000)).

call(Port, Command, Data) ->
    [Answer] = calls(Port, [{Command, Data}]),
    Answer.

%% All are sent before the first answer is read: the two programs need not wait for each other.
calls(Port, Requests) ->
    [port_command(Port, [Command, Data]) || {Command, Data} <- Requests],
    [answer(Port) || _ <- Requests].

answer(Port) ->
    receive
        {Port, {data, <<$o, Out/binary>>}} -> {ok, Out};
        {Port, {data, <<$e, Why/binary>>}} -> {error, Why}
    after 10000 -> exit(no_answer)
    end.

text(Term) ->
    unicode:characters_to_binary(io_lib:format("~0tp", [Term])).

%% ---- terms ----

terms(Port, N) ->
    run("terms", N, fun(_) -> term(Port, etf_terms:term()) end).

term(Port, Term) ->
    Text = text(Term),
    Requests = [{$p, term_to_binary(Term)}, {$t, Text} | recodings(Term)],
    [Printed, Parsed | Recoded] = calls(Port, Requests),
    first([fun() -> prints(Term, Text, Printed) end, fun() -> means(parse, Term, Parsed) end |
           [fun() -> means(recode, Term, R) end || R <- Recoded]]).

first([]) ->
    ok;
first([Check | Checks]) ->
    case Check() of
        ok -> first(Checks);
        Wrong -> Wrong
    end.

%% minor_version 0 has floats as text, 1 atoms in Latin-1, 2 all atoms in UTF-8.
recodings(Term) ->
    Options = [[{minor_version, 0}], [{minor_version, 1}], [{minor_version, 2}], [deterministic]],
    [{$r, term_to_binary(Term, O)} || O <- Options].

means(What, Term, {ok, Bytes}) ->
    same(What, Term, binary_to_term(Bytes));
means(What, Term, Error) ->
    {What, Error, Term}.

%% Equal, and with the sign of -0.0, which compares as equal on the older releases.
same(What, Term, Other) ->
    case Other =:= Term andalso term_to_binary(Other, [deterministic]) =:= term_to_binary(Term, [deterministic]) of
        true -> ok;
        false -> {What, Term, Other}
    end.

%% The pairs of a large map stand in another order in its bytes than in its iterator: there the text
%% must mean the same.
prints(_, Text, {ok, Text}) ->
    ok;
prints(Term, Text, {ok, Other}) ->
    case has_large_map(Term) of
        true -> same({print, Text, Other}, {ok, Term}, scan([Other, "."]));
        false -> {print, Text, Other}
    end;
prints(Term, _, Error) ->
    {print, Error, Term}.

has_large_map(Map) when is_map(Map) ->
    map_size(Map) > 32 orelse has_large_map(maps:to_list(Map));
has_large_map([Head | Tail]) ->
    has_large_map(Head) orelse has_large_map(Tail);
has_large_map(Tuple) when is_tuple(Tuple) ->
    has_large_map(tuple_to_list(Tuple));
has_large_map(_) ->
    false.

scan(Text) ->
    try
        {ok, Tokens, _} = erl_scan:string(unicode:characters_to_list(Text)),
        erl_parse:parse_term(Tokens)
    catch
        error:_ -> {error, bad}
    end.

%% ---- floats ----

floats(Port, N) ->
    run("floats", N div 20, fun(_) -> term(Port, [etf_terms:float() || _ <- lists:seq(1, 50)]) end).

%% ---- pids, ports, references, funs ----

identifiers(Port, N) ->
    run("identifiers", N, fun(_) -> identifier(Port, etf_terms:identifier()) end).

identifier(Port, Term) ->
    Text = named(Term),
    case call(Port, $p, term_to_binary(Term)) of
        {ok, Text} ->
            Twice = {Term, [Term]},
            first([fun() -> means(recode, Twice, R) end || R <- calls(Port, recodings(Twice))]);
        Other -> {identifier, Term, Text, Other}
    end.

%% Where the VM prints a number of its own for a node, the codec prints the node's name.
named(Fun) when is_function(Fun) ->
    text(Fun);
named(Term) ->
    Node = atom_to_list(node(Term)),
    [Before, After] = re:split(text(Term), "(?<=<)[0-9]+(?=\\.)"),
    unicode:characters_to_binary([Before, Node, After]).

%% ---- what is refused ----

refused(Port) ->
    Cases = [{<<"compressed terms are not accepted here">>, term_to_binary(lists:duplicate(1000, $x), [compressed])},
             {<<"node-local terms are not accepted here">>, <<131, 121, 0:64, 97, 1>>},
             {<<"unknown tag in the external term format">>, <<131, 255>>},
             {<<"unknown tag in the external term format">>, <<130, 97, 1>>}],
    run("refused", length(Cases), fun(N) -> refused(Port, lists:nth(N, Cases)) end).

refused(Port, {Why, Bytes}) ->
    case [call(Port, Command, Bytes) || Command <- "rp"] of
        [{error, Why}, {error, Why}] -> ok;
        Other -> {refused, Bytes, Other}
    end.

%% ---- texts that nobody prints ----

spellings(Port) ->
    {ok, Bin} = file:read_file(filename:join(filename:dirname(code:which(?MODULE)), "spellings.txt")),
    Lines = [L || L <- binary:split(Bin, <<"\n">>, [global]), L =/= <<>>],
    run("spellings", length(Lines), fun(N) -> agree(Port, lists:nth(N, Lines)) end).

mutations(Port, N) ->
    run("mutations", N, fun(_) -> agree(Port, etf_terms:mutate(short_text())) end).

short_text() ->
    case text(etf_terms:term()) of
        Text when byte_size(Text) < 400 -> Text;
        _ -> short_text()
    end.

%% The VM reads it and so do we, as the same; or neither does.
agree(Port, Line) ->
    Text = [Line, "\n."],
    case {scan(Text), call(Port, $t, Text)} of
        {{ok, Term}, {ok, Bytes}} -> same({agree, Text}, Term, binary_to_term(Bytes));
        {{error, _}, {error, _}} -> ok;
        {Vm, Ours} -> {agree, Text, Vm, Ours}
    end.
