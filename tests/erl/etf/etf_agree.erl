%% SPDX-License-Identifier: Apache-2.0
%%
%% Compares etf-tool, which is the codec, with the VM that runs this.
%%
%% The releases spell some things in different ways. For these alone the meaning is compared: what the
%% codec printed, read by the VM, is the term (that what the VM printed means the term to the codec is
%% asked for all terms); all else is compared as text. See spelled/2 and known/3. The codec writes what
%% all releases read:
%%   25 prints the atoms maybe and else without the quotes that they need since 27, and reads \^? as
%%      another character.
%%   27 has triple quotes and sigils, which the codec does not read, and refuses \^ before what makes
%%      no control character, which the codec reads.
%%   29 prints a binary of Latin-1 text that is no UTF-8 by number, and reads floats of other bases
%%      (16#1.5), which the codec does not.
%% Large maps print in an order of their own in every release.
-module(etf_agree).
-export([main/1]).

main(Args) ->
    [In, Out, N, Seed] = [list_to_integer(Arg) || Arg <- Args],
    rand:seed(exsss, Seed),
    Port = open_port({fd, In, Out}, [{packet, 4}, binary]),
    Counts = [terms(Port, N), records(Port, N div 10), floats(Port, N), identifiers(Port, N div 10), refused(Port), spellings(Port), mutations(Port, N div 2)],
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
            Failed < 5 andalso io:format("~s: ~s~n", [What, shorten(io_lib:format("~0tp", [Wrong]))]),
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

release() ->
    list_to_integer(erlang:system_info(otp_release)).

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

prints(_, Text, {ok, Text}) ->
    ok;
prints(Term, Text, {ok, Other}) ->
    case any_spelled(Term) of
        true -> same({print, Text, Other}, {ok, Term}, scan([Other, "."]));
        false -> {print, Text, Other}
    end;
prints(Term, _, Error) ->
    {print, Error, Term}.

%% Does this release print it unlike the codec? The pairs of a large map stand in another order in its
%% bytes than in its iterator.
spelled(_, Term) when is_map(Term) ->
    map_size(Term) > 32;
spelled(Release, Term) when Release < 27, is_atom(Term) ->
    lists:member(Term, ['maybe', 'else']);
spelled(Release, Term) when Release >= 29, is_binary(Term) ->
    not is_list(unicode:characters_to_list(Term));
spelled(_, _) ->
    false.

any_spelled(Term) ->
    Release = release(),
    any(fun(T) -> spelled(Release, T) end, Term).

any(Is, Term) ->
    Is(Term) orelse any_inside(Is, Term).

any_inside(Is, Map) when is_map(Map) ->
    any_inside(Is, maps:to_list(Map));
any_inside(Is, [Head | Tail]) ->
    any(Is, Head) orelse any_inside(Is, Tail);
any_inside(Is, Tuple) when is_tuple(Tuple) ->
    any_inside(Is, tuple_to_list(Tuple));
any_inside(Is, Term) ->
    Is(Term). % the tail of an improper list

%% With the reserved words of OTP 25: maybe and else need no quotes, here and in the codec.
scan(Text) ->
    Reserved = fun(Word) -> not lists:member(Word, ['maybe', 'else']) andalso erl_scan:reserved_word(Word) end,
    try
        {ok, Tokens, _} = erl_scan:string(unicode:characters_to_list(Text), 1, [{reserved_word_fun, Reserved}]),
        erl_parse:parse_term(Tokens)
    catch
        error:_ -> {error, bad}
    end.

%% ---- native records ----

%% OTP 29 has them. It prints them too, but neither it nor the codec reads that text.
records(Port, N) ->
    case erlang:function_exported(erlang, is_record, 1) of
        true -> run("records", N, fun(_) -> record(Port, etf_terms:record()) end);
        false -> {0, 0}
    end.

record(Port, {Term, Parts}) ->
    [Printed | Recoded] = calls(Port, [{$p, term_to_binary(Term)} | recodings(Term)]),
    first([fun() -> prints_record(Term, Parts, Printed) end |
           [fun() -> means(recode, Term, R) end || R <- Recoded]]).

prints_record(Term, Parts, {ok, Text}) ->
    case any_spelled(Parts) of
        true -> ok;
        false -> prints(Term, text(Term), {ok, Text})
    end;
prints_record(Term, _, Error) ->
    {print, Error, Term}.

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

%% The VM reads it and so do we, as the same; or neither does; or this release is known to differ.
agree(Port, Line) ->
    Text = [Line, "\n."],
    case readings(Text, scan(Text), call(Port, $t, Text)) of
        {Who, Wrong} ->
            case known(release(), Who, Line) of
                true -> ok;
                false -> Wrong
            end;
        ok -> ok
    end.

readings(Text, {ok, Term}, {ok, Bytes}) ->
    case same({agree, Text}, Term, binary_to_term(Bytes)) of
        ok -> ok;
        Wrong -> {both, Wrong}
    end;
readings(_, {error, _}, {error, _}) -> ok;
readings(Text, {ok, Term}, Error) -> {vm, {agree, Text, Term, Error}};
readings(Text, Error, {ok, Bytes}) -> {codec, {agree, Text, Error, Bytes}}.

%% What the releases from one to another are known to read unlike the codec: the VM or the codec alone
%% reads it, or both in their own way.
known(Release, Who, Line) ->
    lists:any(fun({From, To, W, Pattern}) ->
                      Release >= From andalso Release =< To andalso W =:= Who
                          andalso re:run(Line, Pattern) =/= nomatch
              end,
              [{25, 25, both, "\\\\\\^\\?"},
               {27, 29, codec, "\\\\\\^[^@-_?a-z]"},
               {27, 29, codec, "\"\"\""},
               {27, 29, vm, "~[a-zA-Z]*[\"'(\\[{</|`#]"},
               {29, 29, vm, "[0-9]#[0-9a-zA-Z_]+\\.[0-9a-zA-Z]"}]).
