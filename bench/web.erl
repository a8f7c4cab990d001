%% SPDX-License-Identifier: Apache-2.0
%% The rival: the original's status page on cowboy, as small as it gets.
-module(web).
-export([start/1, init/2]).

%% -run web start PORT
start([Port]) ->
    {ok, _} = application:ensure_all_started(cowboy),
    Dispatch = cowboy_router:compile([{'_', [{"/", ?MODULE, []}]}]),
    {ok, _} = cowboy:start_clear(http, [{ip, {127, 0, 0, 1}}, {port, list_to_integer(Port)}],
                                 #{env => #{dispatch => Dispatch}}).

init(Req, State) ->
    Body = io_lib:format("<html><body><h1>~p</h1><p>nodes: ~p</p><p>cookie: ~p</p></body></html>~n",
                         [node(), lists:sort([node() | nodes()]), erlang:get_cookie()]),
    {ok, cowboy_req:reply(200, #{<<"content-type">> => <<"text/html">>}, Body, Req), State}.
