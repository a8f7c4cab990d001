# SPDX-License-Identifier: Apache-2.0
# What Phoenix.PubSub's adapter for :pg (2.0 and later) does with its peers, and no more of it: a
# worker for each group joins it in the scope Phoenix.PubSub; a broadcast goes from the node that
# makes it to the members of other nodes as {:forward_to_local, topic, message, dispatcher}, and from
# each of those to who has subscribed there. The package itself is no part of these tests.
defmodule Lab.PubSub do
  @scope Phoenix.PubSub
  @adapter Lab.PubSub.Adapter

  def start(pool_size) do
    {:ok, _} = :pg.start(@scope)
    subscribers = :ets.new(:lab_subscribers, [:bag, :public, :named_table])
    [first | more] = for n <- 1..pool_size, do: if(n == 1, do: @adapter, else: :"#{@adapter}_#{n}")
    for group <- [first | more], do: start_worker(group, subscribers)
    :ok
  end

  # The owner of the table and the workers must outlive the evaluation that starts them.
  def start_for_good(pool_size) do
    me = self()
    spawn(fn ->
      send(me, {:started, start(pool_size)})
      Process.sleep(:infinity)
    end)
    receive do {:started, result} -> result end
  end

  defp start_worker(group, subscribers) do
    me = self()
    spawn(fn ->
      Process.register(self(), group)
      :ok = :pg.join(@scope, group, self())
      send(me, {:ready, group})
      work(subscribers)
    end)
    receive do {:ready, ^group} -> :ok end
  end

  defp work(subscribers) do
    receive do
      {:forward_to_local, topic, message, dispatcher} when is_binary(topic) and is_atom(dispatcher) ->
        local(subscribers, topic, message)
        work(subscribers)
    end
  end

  defp local(subscribers, topic, message) do
    for {_, pid} <- :ets.lookup(subscribers, topic), do: send(pid, message)
  end

  # A process that collects what is published on a topic.
  def subscribe(topic) do
    pid = spawn(fn -> collect([]) end)
    true = :ets.insert(:lab_subscribers, {topic, pid})
    pid
  end

  defp collect(seen) do
    receive do
      {:seen, pid} ->
        send(pid, {:seen, Enum.reverse(seen)})
        collect(seen)
      message -> collect([message | seen])
    end
  end

  def seen(pid) do
    send(pid, {:seen, self()})
    receive do {:seen, messages} -> messages end
  end

  def broadcast(topic, message, group \\ @adapter) do
    text = {:forward_to_local, topic, message, Phoenix.PubSub}
    for pid <- :pg.get_members(@scope, group), node(pid) != node(), do: send(pid, text)
    local(:lab_subscribers, topic, message)
    :ok
  end

  # To one node: by the worker's name.
  def direct_broadcast(node, topic, message) do
    send({@adapter, node}, {:forward_to_local, topic, message, Phoenix.PubSub})
    :ok
  end
end
