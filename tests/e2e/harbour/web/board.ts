/** The arrivals board in the harbour office. */

export interface Arrival {
  ship: string;
  eta: Date;
  berth: number | null;
}

export class ArrivalsBoard {
  private readonly rows = new Map<string, Arrival>();

  /** Later news about the same ship replaces earlier news. */
  announce(arrival: Arrival): void {
    this.rows.set(arrival.ship, arrival);
  }

  /** The next ships to come in, soonest first. */
  upcoming(limit: number): Arrival[] {
    return [...this.rows.values()].sort((a, b) => a.eta.getTime() - b.eta.getTime()).slice(0, limit);
  }
}
