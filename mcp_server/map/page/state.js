// What the reader has chosen, in one place; whoever changes it says so, and what shows it is drawn anew.

const NONE = -1;

/** The page's state: which chunk is meant, which are found, which groups are hidden. */
class State {
  constructor(data) {
    this.data = data;
    this.hidden = new Set(); // groups
    this.found = null; // a 1 for each chunk that is found; null while nothing is asked for
    this.hovered = NONE;
    this.current = NONE;
    this.pinned = false; // whether the current chunk's card stays
    this.listeners = [];
  }

  /** Call ``listener`` after every change. */
  onChange(listener) {
    this.listeners.push(listener);
  }

  /** Take over these values. */
  change(values) {
    Object.assign(this, values);
    for (const listener of this.listeners) listener(this);
  }

  /** Whether a chunk is drawn at all. */
  shows(chunk) {
    return !this.hidden.has(this.data.group[chunk]);
  }

  /** Whether a chunk can be pointed at: it is drawn, and found where something is asked for. */
  reaches(chunk) {
    return this.shows(chunk) && (this.found === null || this.found[chunk] === 1);
  }
}
