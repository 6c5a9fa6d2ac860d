package example.weather

import scala.collection.mutable

/** What a station measures. */
trait Reading {
  def celsius: Double
  def isFrost: Boolean = celsius < 0
}

final case class Thermometer(celsius: Double) extends Reading

class Station(name: String) {
  private val readings = mutable.Buffer.empty[Reading]

  def record(reading: Reading): Unit = {
    readings += reading
    if (reading.isFrost) println(s"$name: frost at ${reading.celsius}")
  }

  def mean: Double =
    if (readings.isEmpty) 0 else readings.map(_.celsius).sum / readings.size
}

object Station {
  val Default = new Station("roof")
  type Readings = List[Reading]
  def apply(name: String): Station = new Station(name)
  implicit class Rich(station: Station) {
    def warm: Boolean = station.mean > 20
  }
}
