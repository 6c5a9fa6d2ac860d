// Package ferry carries cars over a river.
package ferry

import (
	"errors"
	"fmt"
)

const (
	MaxCars  = 12
	MaxTrips = 40
)

// ErrFull says that no car fits any more.
var ErrFull = errors.New("ferry: full")

// Car is what is carried.
type Car struct {
	Plate  string
	Length float64
}

type Deck interface {
	Load(car Car) error
	Unload() (Car, bool)
}

type (
	Plates []string
	Lookup map[string]Car
)

// Ferry is a Deck that moves.
type Ferry[T Deck] struct {
	deck  T
	trips int
}

// Load puts a car on the deck.
func (f *Ferry[T]) Load(car Car) error {
	if f.trips >= MaxTrips {
		return fmt.Errorf("load %s: %w", car.Plate, ErrFull)
	}
	return f.deck.Load(car)
}

func (c Car) String() string { return c.Plate }

func New[T Deck](deck T) *Ferry[T] {
	return &Ferry[T]{deck: deck}
}
