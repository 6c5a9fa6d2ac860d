# Containers on a ship, as the customs office wants them.
module Cargo
  class Manifest
    include Enumerable

    def initialize(containers)
      @containers = containers
    end

    def each(&block)
      @containers.each(&block)
    end

    # Containers whose seal number does not match the one written down at loading.
    def tampered
      select { |container| container[:seal] != container[:seal_at_loading] }
    end
  end
end
