# frozen_string_literal: true

require "open3"

module Ops
  # Dumps of databases, compressed and copied to another place; old ones are removed.
  class Backup
    KEPT = 14

    def initialize(target)
      @target = target
    end

    def run(databases)
      databases.each { |name| upload(dump(name)) }
      prune
    end

    def dump(name)
      file = "/tmp/#{name}-#{Time.now.strftime('%Y%m%d')}.sql.gz"
      _, status = Open3.capture2e("pg_dump #{name} | gzip > #{file}")
      raise "pg_dump of #{name} failed with status #{status.exitstatus}" unless status.success?

      file
    end

    def upload(file)
      system("rsync", file, @target, exception: true)
    end

    # Keeps the latest fortnight.
    def prune
      dumps = Dir.glob(File.join(@target, "*.sql.gz")).sort
      dumps[0...-KEPT].each { |old| File.delete(old) } if dumps.size > KEPT
    end
  end
end
