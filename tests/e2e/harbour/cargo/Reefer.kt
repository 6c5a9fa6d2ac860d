package harbour.cargo

/** A refrigerated container; spoiled cargo is reported once. */
class Reefer(private val setPointCelsius: Double) {
    private var warmMinutes = 0

    fun measure(celsius: Double) {
        warmMinutes = if (celsius > setPointCelsius + 3) warmMinutes + 1 else 0
    }

    fun isSpoiled(): Boolean = warmMinutes > 240
}
