defmodule Bakery.Oven do
  @moduledoc """
  Keeps loaves warm.
  """
  use GenServer
  alias Bakery.Loaf

  @limit 12

  defstruct loaves: [], heat: 0

  @doc "Starts an oven."
  @spec start_link(keyword()) :: GenServer.on_start()
  def start_link(options \\ []) do
    GenServer.start_link(__MODULE__, options, name: __MODULE__)
  end

  @impl true
  def handle_call({:bake, %Loaf{} = loaf}, _from, state) when length(state) < @limit do
    {:reply, :ok, [loaf | state]}
  end

  def handle_call(_other, _from, state), do: {:reply, :full, state}

  defp warm(state), do: Enum.map(state, & &1.heat)

  defmacro hot(expression) do
    quote do: unquote(expression) > 100
  end
end

defprotocol Bakery.Edible do
  def eat(food)
end

defimpl Bakery.Edible, for: Bakery.Loaf do
  def eat(loaf), do: loaf
end

defmodule Bakery.OvenTest do
  use ExUnit.Case

  describe "handle_call/3" do
    test "refuses a loaf when it is full" do
      assert Bakery.Oven.handle_call(:bake, self(), []) == {:reply, :full, []}
    end
  end
end
