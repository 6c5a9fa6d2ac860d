// Which part of the map is seen, and how large: positions of the data to pixels of the screen and back.

const CLOSEST = 400; // times the scale at which the whole map is seen

/** Looks at one place of the map. */
class Camera {
  constructor(data) {
    this.box = boundsOf(data);
    this.width = 1;
    this.height = 1;
    this.showWhole();
  }

  /** Take over the size of the screen, in pixels of the page; the middle stays where it is. */
  resize(width, height) {
    const untouched = this.scale === this.wholeScale();
    this.width = width;
    this.height = height;
    if (untouched || this.scale < this.wholeScale()) this.showWhole();
  }

  /** The scale at which everything is seen. */
  wholeScale() {
    const margin = Math.min(this.width, this.height) < 500 ? 24 : 56;
    const across = Math.max(40, this.width - 2 * margin) / this.box.width;
    return Math.min(across, Math.max(40, this.height - 2 * margin) / this.box.height);
  }

  showWhole() {
    this.x = this.box.x + this.box.width / 2;
    this.y = this.box.y + this.box.height / 2;
    this.scale = this.wholeScale();
  }

  /** How much closer than the whole map this is; 1 or more. */
  closeness() {
    return this.scale / this.wholeScale();
  }

  screenX(x) {
    return (x - this.x) * this.scale + this.width / 2;
  }

  screenY(y) {
    return (y - this.y) * this.scale + this.height / 2;
  }

  mapX(x) {
    return (x - this.width / 2) / this.scale + this.x;
  }

  mapY(y) {
    return (y - this.height / 2) / this.scale + this.y;
  }

  /** Move by so many pixels. */
  pan(right, down) {
    this.x -= right / this.scale;
    this.y -= down / this.scale;
    this.stayNear();
  }

  /** Enlarge so many times; what is at this place of the screen stays there. */
  zoom(times, x = this.width / 2, y = this.height / 2) {
    const whole = this.wholeScale();
    const scale = Math.min(CLOSEST * whole, Math.max(0.8 * whole, this.scale * times));
    this.x = this.mapX(x) - (x - this.width / 2) / scale;
    this.y = this.mapY(y) - (y - this.height / 2) / scale;
    this.scale = scale;
    this.stayNear();
  }

  /** Look so that this place of the map is well on the screen. */
  bring(x, y) {
    const edge = Math.min(80, this.width / 6, this.height / 6);
    const right = this.screenX(x);
    const down = this.screenY(y);
    if (right < edge || right > this.width - edge || down < edge || down > this.height - edge) {
      this.x = x;
      this.y = y;
    }
  }

  /** The middle of the screen does not leave the map. */
  stayNear() {
    this.x = Math.min(this.box.x + this.box.width, Math.max(this.box.x, this.x));
    this.y = Math.min(this.box.y + this.box.height, Math.max(this.box.y, this.y));
  }
}

/** The box that holds all points; never empty. */
function boundsOf(data) {
  const low = (column) => column.reduce((least, value) => Math.min(least, value), Infinity);
  const high = (column) => column.reduce((most, value) => Math.max(most, value), -Infinity);
  const [x, y] = [low(data.x), low(data.y)];
  return { x, y, width: Math.max(1, high(data.x) - x), height: Math.max(1, high(data.y) - y) };
}
