# frozen_string_literal: true

module Ops
  # A version did not become healthy on a host.
  class UnhealthyError < StandardError; end

  # Rolling deployment: one host after another, back to the old version at the first failure.
  class Deploy
    def initialize(hosts:, shell: Shell.new, patience: 60)
      @hosts = hosts
      @shell = shell
      @patience = patience
    end

    def roll_out(version)
      done = []
      @hosts.each do |host|
        previous = @shell.run(host, "readlink current")
        done << [host, previous]
        switch(host, version)
        wait_until_healthy(host)
      end
    rescue UnhealthyError
      roll_back(done)
      raise
    end

    # Puts the hosts back to the versions they had, the last one first.
    def roll_back(done)
      done.reverse_each { |host, previous| switch(host, previous) }
    end

    private

    def switch(host, version)
      @shell.run(host, "ln -sfn releases/#{version} current && systemctl restart app")
    end

    def wait_until_healthy(host)
      deadline = Time.now + @patience
      until @shell.run(host, "curl -fs localhost:8080/healthz")
        raise UnhealthyError, "#{host} did not become healthy within #{@patience} s" if Time.now > deadline

        sleep 1
      end
    end
  end
end
