# frozen_string_literal: true

require 'set'

module Museum
  VERSION = '1.2'

  # A room with pictures.
  class Room < Space
    include Enumerable
    attr_reader :name, :pictures

    def initialize(name)
      @name = name
      @pictures = Set.new
    end

    def hang(picture)
      raise ArgumentError, 'no picture' if picture.nil?

      @pictures << picture
      self
    end

    def self.from(plan)
      new(plan.fetch(:name)).tap { |room| plan[:pictures].each { |one| room.hang(one) } }
    end

    class << self
      def empty
        new('empty')
      end
    end
  end
end

RSpec.describe Museum::Room do
  it 'hangs a picture' do
    room = described_class.new('blue')
    room.hang(:mill)
    expect(room.pictures).to include(:mill)
  end

  context 'without a picture' do
    it { expect { described_class.new('red').hang(nil) }.to raise_error(ArgumentError) }
  end
end
