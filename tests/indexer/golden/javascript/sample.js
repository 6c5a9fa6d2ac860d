'use strict';
const fs = require('fs');
import { parse } from './parse.js';

const LIMIT = 10;

/** Bakes a loaf. */
export function bake(flour, water) {
  return { weight: flour + water };
}

export default class Oven extends Device {
  static COUNT = 0;
  #heat = 0;

  constructor(name) {
    super(name);
    this.loaves = [];
    this.started = Date.now();
  }

  get temperature() {
    return this.#heat;
  }

  async warm(degrees) {
    while (this.#heat < degrees) {
      this.#heat += await this.burn(1);
    }
    this.emit('warm', { heat: this.#heat });
  }

  onReady = (event) => {
    this.loaves.push(event.loaf);
  };
}

const knead = (dough, minutes) => {
  for (let i = 0; i < minutes; i++) {
    dough.fold();
  }
  return dough;
};

Oven.prototype.cool = function () {
  this.heat = 0;
};

exports.proof = async () => knead(null, LIMIT);

describe('an oven', () => {
  it('warms up to the temperature that was asked for', async () => {
    const oven = new Oven('brick');
    await oven.warm(220);
    expect(oven.temperature).toBe(220);
  });

  it('cools down again when it is told so and stays cold', () => {
    expect(new Oven('clay').cool()).toBeUndefined();
  });
});
