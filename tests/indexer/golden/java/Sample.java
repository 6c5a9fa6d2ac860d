package org.example.garden;

import java.util.List;
import java.util.Optional;

/**
 * A bed of plants.
 */
@Deprecated
public class Bed<T extends Plant> implements Iterable<T> {
    private static final int ROWS = 4;
    private final List<T> plants;

    /** An empty bed. */
    public Bed(List<T> plants) {
        this.plants = plants;
    }

    @Override
    public java.util.Iterator<T> iterator() {
        return plants.iterator();
    }

    public Optional<T> tallest() {
        T best = null;
        for (T plant : plants) {
            if (best == null || plant.height() > best.height()) {
                best = plant;
            }
        }
        return Optional.ofNullable(best);
    }

    enum Season { SPRING, SUMMER, AUTUMN, WINTER }

    static class Row {
        int length() { return ROWS; }
    }
}

interface Plant {
    double height();
    default boolean isTree() { return height() > 5; }
}

record Seed(String name, int depth) {
    Seed {
        if (depth < 0) throw new IllegalArgumentException("a seed lies in the earth, not above it: " + depth);
    }
}

@interface Planted { String by(); }
