# SPDX-License-Identifier: Apache-2.0
#
# An Elixir node that finds others as libcluster's strategy Gossip does; written after its packets.
#
#     elixir --name NAME --cookie COOKIE gossip.exs ROLE OWN-ADDRESS TO PORT SECRET-FILE
#
# ROLE: `speaks` and connects to nobody, `hears` and sends nothing, or `both` as libcluster's do. TO is
# a group or a broadcast address; SECRET-FILE is - without one. Says `nodes: NAME...` at every change.
defmodule Gossip do
  @prefix "heartbeat::"
  @pause_ms 5000

  def run([role, own, to, port, secret_file]) do
    port = String.to_integer(port)
    own = address(own)
    to = address(to)
    {:ok, socket} = :gen_udp.open(port, options(own, to))
    :ok = :net_kernel.monitor_nodes(true)
    state = %{role: role, socket: socket, to: to, port: port, key: key(secret_file)}
    IO.puts("nodes:")
    send(self(), :speak)
    loop(state)
  end

  defp address(text) do
    {:ok, address} = :inet.parse_ipv4_address(to_charlist(text))
    address
  end

  defp options(own, {first, _, _, _} = to) do
    common = [:binary, active: true, ip: {0, 0, 0, 0}, reuseaddr: true, broadcast: true]

    if first in 224..239 do
      common ++ [multicast_if: own, multicast_ttl: 1, multicast_loop: true, add_membership: {to, own}]
    else
      common
    end
  end

  defp key("-"), do: nil
  defp key(file), do: :crypto.hash(:sha256, String.trim_trailing(File.read!(file), "\n"))

  defp loop(state) do
    receive do
      :speak -> speak(state)
      {:udp, _, _, _, packet} -> hear(state, packet)
      {event, _} when event in [:nodeup, :nodedown] -> IO.puts(Enum.join(["nodes:" | Enum.sort(Node.list())], " "))
    end

    loop(state)
  end

  defp speak(%{role: "hears"}), do: :ok

  defp speak(state) do
    packet = @prefix <> :erlang.term_to_binary(%{node: node()})
    :ok = :gen_udp.send(state.socket, state.to, state.port, seal(packet, state.key))
    Process.send_after(self(), :speak, :rand.uniform(@pause_ms))
  end

  defp hear(%{role: "speaks"}, _), do: :ok

  defp hear(state, packet) do
    with @prefix <> term <- open(packet, state.key),
         %{node: name} when is_atom(name) and name != node() <- :erlang.binary_to_term(term) do
      Node.connect(name)
    end
  end

  defp seal(packet, nil), do: packet

  defp seal(packet, key) do
    iv = :crypto.strong_rand_bytes(16)
    iv <> :crypto.crypto_one_time(:aes_256_cbc, key, iv, packet, encrypt: true, padding: :pkcs_padding)
  end

  defp open(packet, nil), do: packet

  defp open(<<iv::binary-size(16), sealed::binary>>, key) do
    :crypto.crypto_one_time(:aes_256_cbc, key, iv, sealed, encrypt: false, padding: :pkcs_padding)
  rescue
    _ -> :error
  end

  defp open(_, _), do: :error
end

Gossip.run(System.argv())
