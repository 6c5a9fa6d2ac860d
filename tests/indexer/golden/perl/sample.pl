#!/usr/bin/perl
use strict;
use warnings;

package Mill::Wheel;

our $SPOKES = 12;

=head1 NAME

Mill::Wheel - a wheel in the water

=cut

# Makes a wheel.
sub new {
    my ($class, %options) = @_;
    my $self = { spokes => $SPOKES, %options };
    return bless $self, $class;
}

sub turn {
    my ($self, $times) = @_;
    for my $i (1 .. $times) {
        $self->{turns}++;
        print "turn $i\n" if $self->{loud};
    }
    return $self->{turns};
}

package main;

my $wheel = Mill::Wheel->new(loud => 1);
$wheel->turn(3);
