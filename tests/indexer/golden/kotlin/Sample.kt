package org.example.trains

import kotlin.math.max

const val GAUGE = 1435

/** Anything on rails. */
interface Rolling {
    val wheels: Int
    fun roll(metres: Int): Int
}

data class Wagon(val load: Int, override val wheels: Int = 4) : Rolling {
    init {
        require(load >= 0) { "a load is not negative" }
    }

    override fun roll(metres: Int): Int = max(0, metres - load)

    fun couple(other: Wagon): Train {
        val both = listOf(this, other)
        return Train(both.sortedBy { it.load })
    }

    companion object {
        fun empty() = Wagon(0)
    }
}

class Train(private val wagons: List<Wagon>) {
    constructor(vararg wagons: Wagon) : this(wagons.toList())

    val length get() = wagons.size * 12
}

enum class Signal { STOP, GO }

object Station {
    fun depart(train: Train) = println(train.length)
}

typealias Track = List<Train>

fun Train.isLong(): Boolean = length > 100

suspend fun run(track: Track) {
    for (train in track) {
        Station.depart(train)
    }
}
