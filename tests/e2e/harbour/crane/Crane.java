package harbour.crane;

/** A crane on the quay. Lifts only what it can also hold in a gust. */
public final class Crane {
    private final double maximumTonnes;

    public Crane(double maximumTonnes) {
        this.maximumTonnes = maximumTonnes;
    }

    /** Wind takes a share of the load a crane can carry. */
    public double safeLoad(double windMetresPerSecond) {
        if (windMetresPerSecond > 20) {
            return 0;
        }
        return maximumTonnes * (1 - windMetresPerSecond / 40);
    }

    public void emergencyStop() {
        throw new IllegalStateException("crane stopped by hand");
    }
}
