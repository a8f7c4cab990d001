# SPDX-License-Identifier: Apache-2.0
"""pg between real nodes and a program of ours: both sides see the same groups through all that
happens to nodes, scopes and members, and the scope of a BEAM is the same process at the end."""

import time

from lab.case import LabCase, per_release
from lab.member import PgMember, ask, linked
from lab.nodes import eventually

SEEN = 20  # seconds


class Pg(LabCase):
    def member(self, number, **options):
        return PgMember(self.lab.pod(number), **options)

    def pair(self, release):
        """One of ours and a BEAM, linked, each with the scope lab_scope."""
        self.dns(1, 2)
        member, erl = self.member(1).start(), self.erl(2, release).start()
        linked(member, erl)
        self.open_scope(erl)
        self.assertEqual('ok', erl.eval(ask(member, '{start, lab_scope}')))
        self.spawn(erl, member)
        return member, erl

    def open_scope(self, erl):
        erl.eval("{ok, P} = pg:start(lab_scope), persistent_term:put(scope, P)")
        self.sleeper(erl)

    def sleeper(self, erl):
        """A process that does nothing, registered there."""
        erl.eval("register(sleeper, spawn(fun() -> receive stop -> ok end end))")

    def spawn(self, erl, member):
        """A process of ours, known to the BEAM as persistent_term:get(ours)."""
        erl.eval(f"persistent_term:put(ours, {ask(member, '{spawn}')})")

    def begin(self, member, erl):
        """New processes for one more story; those of the last one are in no group any more."""
        self.do(erl, member, "{'end', Ours}")
        erl.eval('[exit(P, kill) || P <- [whereis(sleeper) | persistent_term:get(many, [])], is_pid(P)], ok')
        eventually('nobody is in a group', SEEN, lambda: self.do(erl, member, '{info, lab_scope}') == '{0,0,0,1,0}')
        eventually('nor there', SEEN, lambda: erl.eval('whereis(sleeper)') == 'undefined'
                   and erl.eval('pg:which_groups(lab_scope)') == '[]')
        self.sleeper(erl)
        self.spawn(erl, member)

    def finish(self, member, erl):
        """The BEAM has lost no scope over us, and we have understood all that it said."""
        self.assert_same_scope(erl)
        self.assertRegex(erl.eval(ask(member, '{info, lab_scope}')), ',0}$')
        member.quit(erl)

    def do(self, erl, member, command):
        return erl.eval(f"Ours = persistent_term:get(ours), Sleeper = whereis(sleeper), {ask(member, command)}")

    def assert_members(self, erl, group, expected, member=None):
        """What get_members says there, and with a member what it says; `expected` may use Ours and Sleeper."""
        head = 'Ours = persistent_term:get(ours), Sleeper = whereis(sleeper), _ = {Ours, Sleeper}, '
        eventually(f'{erl} sees {expected} in {group}', SEEN, lambda: erl.eval(
            f'{head} case pg:get_members(lab_scope, {group}) of {expected} -> true; Other -> {{other, Other}} end'
        ) == 'true')
        if member is not None:
            eventually(f'{member} sees {expected} in {group}', SEEN, lambda: erl.eval(
                f"{head} case [P || {{P, _}} <- {ask(member, f'{{members, lab_scope, {group}}}')}] of "
                f'{expected} -> true; Other -> {{other, Other}} end') == 'true')

    def assert_same_scope(self, erl):
        self.assertEqual('true', erl.eval('whereis(lab_scope) =:= persistent_term:get(scope)'))

    @per_release
    def test_groups(self, release):
        member, erl = self.pair(release)
        for story in (self.joins_and_leaves, self.many_at_once, self.ends_of_members, self.scopes_are_apart,
                      self.any_term_names_a_group, self.monitors_of_groups, self.messages_to_members):
            with self.subTest(story.__name__):
                story(member, erl)
        self.finish(member, erl)
        self.assert_quiet([erl])

    def joins_and_leaves(self, member, erl):
        self.begin(member, erl)
        self.assertEqual('ok', self.do(erl, member, '{join, Ours, lab_scope, room}'))
        self.assert_members(erl, 'room', '[Ours]', member)
        self.assertEqual('[]', erl.eval('pg:get_local_members(lab_scope, room)'))
        erl.eval('ok = pg:join(lab_scope, room, whereis(sleeper))')
        self.assert_members(erl, 'room', '[Sleeper, Ours]', member)
        self.assertEqual('ok', self.do(erl, member, '{join, Ours, lab_scope, room}'))
        self.assert_members(erl, 'room', '[Ours, Sleeper, Ours]', member)
        self.assertEqual('ok', self.do(erl, member, '{leave, Ours, lab_scope, room}'))
        self.assert_members(erl, 'room', '[Sleeper, Ours]', member)
        self.assertEqual('ok', self.do(erl, member, '{leave, Ours, lab_scope, room}'))
        self.assertEqual('not_there', self.do(erl, member, '{leave, Ours, lab_scope, room}'))
        self.assert_members(erl, 'room', '[Sleeper]', member)
        erl.eval('ok = pg:leave(lab_scope, room, whereis(sleeper))')
        self.assert_members(erl, 'room', '[]', member)
        self.assertEqual('[]', erl.eval('pg:which_groups(lab_scope)'))
        self.assertEqual('{0,0,0,1,0}', self.do(erl, member, '{info, lab_scope}'))
        self.assertEqual('1', erl.eval(f"maps:get(peers, sys:get_state({{lab_scope, '{member.name}'}}))"))

    def many_at_once(self, member, erl):
        """A list of processes, joined and left: one message each way."""
        self.begin(member, erl)
        erl.eval("persistent_term:put(many, [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, 1000)])")
        erl.eval("Many = persistent_term:get(many), ok = pg:join(lab_scope, crowd, Many ++ [hd(Many)])")
        self.assertEqual('ok', self.do(erl, member, '{join, Ours, lab_scope, crowd}'))
        eventually('the crowd is there', SEEN, lambda: erl.eval(
            f"[P || {{P, _}} <- {ask(member, '{members, lab_scope, crowd}')}] =:= "
            "pg:get_members(lab_scope, crowd)") == 'true')
        self.assertEqual('1002', erl.eval('length(pg:get_members(lab_scope, crowd))'))
        erl.eval("{Half, _} = lists:split(500, persistent_term:get(many)), ok = pg:leave(lab_scope, crowd, Half)")
        erl.eval("[exit(P, kill) || P <- lists:nthtail(501, persistent_term:get(many))], ok")
        eventually('three are left', SEEN, lambda: erl.eval(
            f"{{Last, First}} = {{lists:nth(501, persistent_term:get(many)), hd(persistent_term:get(many))}}, "
            f"Ours = persistent_term:get(ours), [P || {{P, _}} <- {ask(member, '{members, lab_scope, crowd}')}] =:= "
            "[Ours, Last, First]") == 'true')
        self.assert_members(erl, 'crowd', '[Ours, _, _]', member)

    def ends_of_members(self, member, erl):
        self.begin(member, erl)
        for group in ('room', '{hall, 2}', 'room'):
            self.assertEqual('ok', self.do(erl, member, f'{{join, Ours, lab_scope, {group}}}'))
        erl.eval('ok = pg:join(lab_scope, room, [whereis(sleeper), whereis(sleeper)]), '
                 'ok = pg:join(lab_scope, {hall, 2}, whereis(sleeper))')
        self.assert_members(erl, 'room', '[Sleeper, Sleeper, Ours, Ours]', member)
        self.assertEqual('ok', self.do(erl, member, "{'end', Ours}"))
        self.assert_members(erl, 'room', '[Sleeper, Sleeper]', member)
        self.assert_members(erl, '{hall, 2}', '[Sleeper]', member)
        erl.eval('exit(whereis(sleeper), kill)')
        eventually('all have left', SEEN, lambda: self.do(erl, member, '{info, lab_scope}') == '{0,0,0,1,0}')
        self.assertEqual('[]', erl.eval('pg:which_groups(lab_scope)'))

    @per_release
    def test_who_comes_later_gets_all(self, release):
        """Both have members before the link is there: each gets the other's groups."""
        self.dns(1, 2)
        erl = self.erl(2, release, refresh=None).start()
        self.open_scope(erl)
        erl.eval('ok = pg:join(lab_scope, room, whereis(sleeper))')
        member = self.member(1).start()
        linked(member, erl)
        self.assertEqual('ok', erl.eval(ask(member, '{start, lab_scope}')))
        self.spawn(erl, member)
        self.assertEqual('ok', self.do(erl, member, '{join, Ours, lab_scope, room}'))
        self.assert_members(erl, 'room', '[_, _]', member)
        erl.eval(f"erlang:disconnect_node('{member.name}')")
        eventually('it is linked again', SEEN, lambda: member.name in erl.nodes())
        self.assert_members(erl, 'room', '[_, _]', member)
        eventually('each has both', SEEN, lambda: self.do(erl, member, '{info, lab_scope}') == '{1,2,1,1,0}')
        self.finish(member, erl)

    @per_release
    def test_nodes_come_and_go(self, release):
        member, erl = self.pair(release)
        self.do(erl, member, '{join, Ours, lab_scope, room}')
        erl.eval('ok = pg:join(lab_scope, room, whereis(sleeper))')
        self.assert_members(erl, 'room', '[Sleeper, Ours]', member)
        for _ in range(2):
            erl.eval(f"erlang:disconnect_node('{member.name}')")
            self.assert_members(erl, 'room', '[Sleeper] -> true; [_, _]')
            eventually('it is linked again', SEEN, lambda: member.name in erl.nodes())
            self.assert_members(erl, 'room', '[Ours, Sleeper] -> true; [Sleeper, Ours]', member)
        member.kill()
        self.assert_members(erl, 'room', '[Sleeper]')
        member.start()
        linked(member, erl)
        self.assertEqual('ok', erl.eval(ask(member, '{start, lab_scope}')))
        self.spawn(erl, member)
        self.do(erl, member, '{join, Ours, lab_scope, room}')
        self.assert_members(erl, 'room', '[Ours, Sleeper]', member)
        self.assert_same_scope(erl)
        erl.kill()
        erl.start()
        linked(member, erl)
        eventually('its members are gone', SEEN,
                   lambda: erl.eval(ask(member, '{info, lab_scope}')) == '{1,1,1,0,0}')
        self.open_scope(erl)
        self.assertEqual('true', erl.eval(f"[{{P, local}}] = {ask(member, '{members, lab_scope, room}')}, "
                                          "persistent_term:put(ours, P), true"))
        self.assert_members(erl, 'room', '[Ours]', member)
        self.finish(member, erl)

    @per_release
    def test_scopes_come_and_go(self, release):
        member, erl = self.pair(release)
        self.do(erl, member, '{join, Ours, lab_scope, room}')
        self.assert_members(erl, 'room', '[Ours]', member)
        self.assertEqual('ok', self.do(erl, member, '{stop, lab_scope}'))
        self.assert_members(erl, 'room', '[]')
        self.assertEqual('ok', self.do(erl, member, '{start, lab_scope}'))
        self.assertEqual('there_already', self.do(erl, member, '{start, lab_scope}'))
        self.do(erl, member, '{join, Ours, lab_scope, room}')
        self.assert_members(erl, 'room', '[Ours]', member)
        self.assert_same_scope(erl)
        erl.eval('exit(whereis(lab_scope), kill)')
        eventually('it has no peer', SEEN, lambda: self.do(erl, member, '{info, lab_scope}') == '{1,1,1,0,0}')
        erl.eval('{ok, P} = pg:start(lab_scope), persistent_term:put(scope, P), ok')
        self.assert_members(erl, 'room', '[Ours]', member)
        self.finish(member, erl)

    def scopes_are_apart(self, member, erl):
        """The same group name in two scopes; a third scope only here, a fourth only there."""
        self.begin(member, erl)
        erl.eval('{ok, _} = pg:start(other), {ok, _} = pg:start(only_there), ok')
        for scope in ('other', 'only_here'):
            self.assertEqual('ok', self.do(erl, member, f'{{start, {scope}}}'))
        self.do(erl, member, '{join, Ours, lab_scope, room}')
        self.do(erl, member, '{join, Ours, only_here, room}')
        erl.eval('ok = pg:join(other, room, whereis(sleeper)), ok = pg:join(only_there, room, whereis(sleeper))')
        self.assert_members(erl, 'room', '[Ours]', member)
        eventually('the other scope has its own', SEEN, lambda: self.do(erl, member, '{info, other}') == '{1,1,0,1,0}')
        self.assertEqual('{1,1,1,0,0}', self.do(erl, member, '{info, only_here}'))
        self.assertEqual('[]', erl.eval('pg:get_members(only_there, room) -- [whereis(sleeper)]'))
        self.assertEqual('not_there', self.do(erl, member, '{info, only_there}'))

    def any_term_names_a_group(self, member, erl):
        self.begin(member, erl)
        names = ['atom', "'an \\x{e9} in it'", '1', '1.0', '-1', '1 bsl 80', '"text"', '<<"text">>', '<<5:3>>',
                 '{a, {b, "c"}, [1, 2 | 3]}', '[]', '{}', '#{k => v, 1 => [x], {t} => <<>>}', 'whereis(sleeper)',
                 'fun lists:map/2', '[1, 2, 300]', "list_to_atom(lists:duplicate(255, $x))",
                 "lists:seq(1, 300)", 'list_to_tuple(lists:seq(1, 300))', "persistent_term:get(ours)"]
        for name in names:
            self.assertEqual('ok', self.do(erl, member, f'{{join, Ours, lab_scope, {name}}}'), name)
            erl.eval(f'ok = pg:join(lab_scope, {name}, whereis(sleeper))')
            self.assert_members(erl, f'({name})', '[Sleeper, Ours]', member)
        count = len(names)
        self.assertEqual(f'{{{count},{2 * count},{count},1,0}}', self.do(erl, member, '{info, lab_scope}'))
        self.assertEqual(str(count), erl.eval('length(pg:which_groups(lab_scope))'))
        self.assertEqual('[]', erl.eval(f"[G || {{G, _, _}} <- {ask(member, '{groups, lab_scope}')}] "
                                        '-- pg:which_groups(lab_scope)'))
        for name in names:
            self.assertEqual('ok', self.do(erl, member, f'{{leave, Ours, lab_scope, {name}}}'), name)
        self.do(erl, member, "{'end', Ours}")
        eventually('only its own are left', SEEN, lambda: erl.eval(
            "lists:usort([pg:get_members(lab_scope, G) || G <- pg:which_groups(lab_scope)]) =:= "
            "[[whereis(sleeper)]]") == 'true')

    def monitors_of_groups(self, member, erl):
        """Ours see what pg:monitor there would tell, and theirs see ours."""
        self.begin(member, erl)
        for words in ('lab_scope', 'lab_scope, room'):
            self.assertIn('#Ref', self.do(erl, member, f'{{watch, Ours, {words}}}'))
        erl.eval("register(watcher, spawn(fun() -> {_, []} = pg:monitor(lab_scope, room), "
                 "(fun F(L) -> receive {get, P} -> P ! L, F(L); {_, W, G, Ps} -> F(L ++ [{W, G, Ps}]) end end)([]) "
                 "end)), ok")
        erl.eval('ok = pg:join(lab_scope, room, whereis(sleeper)), ok = pg:join(lab_scope, hall, whereis(sleeper))')
        erl.eval('ok = pg:leave(lab_scope, room, whereis(sleeper))')
        self.assert_members(erl, 'hall', '[Sleeper]', member)
        eventually('ours has left the room', SEEN, lambda: self.do(erl, member, '{info, lab_scope}') == '{1,1,0,1,0}')
        self.assertEqual('true', erl.eval(
            "S = whereis(sleeper), Ours = persistent_term:get(ours), "
            f"[{{W, G, P}} || {{_, W, G, P}} <- {ask(member, '{take, Ours}')}] =:= [{{join, room, [S]}}, "
            "{join, room, [S]}, {join, hall, [S]}, {leave, room, [S]}, {leave, room, [S]}]"))
        self.do(erl, member, '{join, Ours, lab_scope, room}')
        self.do(erl, member, '{leave, Ours, lab_scope, room}')
        self.do(erl, member, '{join, Ours, lab_scope, room}')
        self.do(erl, member, "{'end', Ours}")
        eventually('the watcher there has heard of it', SEEN, lambda: erl.eval(
            "O = persistent_term:get(ours), S = whereis(sleeper), watcher ! {get, self()}, "
            "receive L -> L =:= [{join, room, [S]}, {leave, room, [S]}, {join, room, [O]}, {leave, room, [O]}, "
            "{join, room, [O]}, {leave, room, [O]}] orelse L end") == 'true')

    def messages_to_members(self, member, erl):
        self.begin(member, erl)
        erl.eval("register(hears, spawn(fun() -> ok = pg:join(lab_scope, room, self()), "
                 "(fun F(L) -> receive {get, P} -> P ! L, F(L); M -> F(L ++ [M]) end end)([]) end)), ok")
        self.do(erl, member, '{join, Ours, lab_scope, room}')
        self.assert_members(erl, 'room', '[_, _]', member)
        for whom in ('all', 'local', 'remote'):
            self.assertEqual('ok', self.do(erl, member, f'{{send, Ours, lab_scope, room, {whom}, {{hello, {whom}}}}}'))
        erl.eval('[P ! from_there || P <- pg:get_members(lab_scope, room)], ok')
        self.assertEqual('[{hello,all},{hello,remote},from_there]',
                         erl.eval('hears ! {get, self()}, receive L -> L end'))
        self.assertEqual('[{hello,all},{hello,local},from_there]', self.do(erl, member, '{take, Ours}'))

    @per_release
    def test_what_a_scope_lives_through(self, release):
        """Why nothing but pg's own messages may go to a BEAM's scope, and those of OTP 29 only where they are known."""
        erl = self.erl(2, release, refresh=None).start()
        all_live, since_26, since_29, none_live = (25, 27, 29), (27, 29), (29,), ()
        for messages, lives in {
                '[{discover, F}]': all_live,
                '[{discover, F, 1}]': since_26,
                '[{discover, F}, {join, F, room, F}, {leave, F, F, [room]}]': all_live,
                '[{discover, F}, {join, F, room, [F, F]}, {leave, F, F, [room, room]}]': all_live,
                '[{discover, F}, {leave, F, F, [room]}]': since_29,
                '[{leave, F, F, [room]}]': all_live,
                "[{'$gen_cast', {sync, F, [{room, [F]}]}}, {leave, F, F, [room]}]": all_live,
                "[{'$gen_cast', {local_data, F, 1, #{room => [F]}}}]": since_29,
                '[{update, F, []}]': since_29,
                '[hello]': none_live,
                "[{'$gen_call', {F, make_ref()}, hello}]": none_live,
        }.items():
            alive = erl.eval(
                'logger:set_primary_config(level, none), {ok, P} = pg:start(short_lived), '
                'F = spawn(fun() -> timer:sleep(infinity) end), R = monitor(process, P), '
                f"[P ! M || M <- {messages}], Alive = try sys:get_state(P) of _ -> true catch exit:_ -> false end, "
                'exit(P, kill), receive {_, R, _, _, _} -> Alive end')
            self.assertEqual('true' if release in lives else 'false', alive, messages)

    @per_release
    def test_three_nodes(self, release):
        """Two BEAMs and two of ours: all see the same through joins, ends and cut links."""
        self.dns(1, 2, 3, 4)
        members = [self.member(number).start() for number in (1, 3)]
        erls = [self.erl(number, release).start() for number in (2, 4)]
        for member in members:
            linked(member, *erls)
        for erl in erls:
            self.open_scope(erl)
        for member in members:
            self.assertEqual('ok', erls[0].eval(ask(member, '{start, lab_scope}')))
            erls[0].eval(f"[ok = {ask(member, '{join, P, lab_scope, room}')} "
                         f"|| P <- [{ask(member, '{spawn}')}, {ask(member, '{spawn}')}]], ok")
        for erl in erls:
            erl.eval('ok = pg:join(lab_scope, room, whereis(sleeper))')

        def agree():
            seen = [erl.eval('lists:sort([{node(P), P} || P <- pg:get_members(lab_scope, room)])') for erl in erls[:1]]
            sizes = [erl.eval('length(pg:get_members(lab_scope, room))') for erl in erls]
            sizes += [erls[0].eval(f"length({ask(member, '{members, lab_scope, room}')})") for member in members]
            return sizes == ['6'] * 4 and seen

        eventually('all four agree', SEEN, agree)
        erls[0].eval(f"erlang:disconnect_node('{members[0].name}'), erlang:disconnect_node('{members[1].name}')")
        linked(members[0], *erls)
        linked(members[1], *erls)
        eventually('all four agree again', SEEN, agree)
        members[1].kill()
        for erl in erls:
            eventually(f'{erl} has lost two', SEEN,
                       lambda erl=erl: erl.eval('length(pg:get_members(lab_scope, room))') == '4')
        eventually('so has ours', SEEN, lambda: erls[0].eval(
            f"length({ask(members[0], '{members, lab_scope, room}')})") == '4')
        self.assert_same_scope(erls[1])
        self.finish(members[0], erls[0])

    @per_release
    def test_a_scope_survives_a_storm(self, release):
        """Joins and leaves as fast as they go, from both sides, while the link is cut again and again."""
        member, erl = self.pair(release)
        erl.eval("Storm = fun F(N) -> ok = pg:join(lab_scope, N rem 7, self()), "
                 "_ = pg:leave(lab_scope, (N + 3) rem 7, self()), "
                 "timer:sleep(case N rem 200 of 0 -> 1; _ -> 0 end), F(N + 1) end, "
                 "register(storm, spawn(fun() -> Storm(0) end)), ok")
        ours = f"Ours = persistent_term:get(ours), [{{{ask(member, '{join, Ours, lab_scope, G rem 3}')}, " \
               f"{ask(member, '{leave, Ours, lab_scope, G rem 4}')}}} || G <- lists:seq(1, 200)], ok"
        for _ in range(2):
            try:
                erl.eval(ours, timeout=60)
            except Exception as error:  # noqa: BLE001 the link may have been cut under it
                self.assertNotIn('badmatch', str(error))
            erl.eval(f"erlang:disconnect_node('{member.name}')")
            linked(member, erl)
            self.assert_same_scope(erl)
        erl.eval('exit(whereis(storm), kill)')
        time.sleep(1)
        eventually('both see the same', SEEN, lambda: erl.eval(
            "Here = [{G, lists:sort(pg:get_members(lab_scope, G))} || G <- pg:which_groups(lab_scope), "
            "pg:get_members(lab_scope, G) =/= []], "
            f"There = [{{G, lists:sort([P || {{P, _}} <- {ask(member, '{members, lab_scope, G}')}])}} || "
            f"{{G, _, _}} <- {ask(member, '{groups, lab_scope}')}], lists:sort(Here) =:= lists:sort(There) "
            "orelse io:format(\"~p~n\", [{Here, There}])") == 'true', interval=1)
        self.finish(member, erl)
