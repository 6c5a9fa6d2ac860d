import { readFile } from 'node:fs/promises';

export type Grain = 'rye' | 'wheat';

export enum Grind {
  Coarse,
  Fine,
}

/** Something that turns grain into flour. */
export interface Mill<T extends Grain = Grain> {
  readonly stones: number;
  grind(grain: T, how: Grind): Promise<Flour>;
}

declare module 'millstones' {
  export function dress(stone: number): void;
}

export namespace Flours {
  export const types = [405, 550, 1050];
  export function sieve(flour: Flour): Flour {
    return { ...flour, ash: flour.ash / 2 };
  }
}

export abstract class WindMill implements Mill {
  constructor(public readonly stones: number, private wind = 0) {}

  abstract turn(degrees: number): void;

  @logged()
  async grind(grain: Grain, how: Grind): Promise<Flour> {
    if (this.wind < 3) {
      throw new Error('no wind');
    }
    return { grain, how, ash: 0.5 } as Flour;
  }

  private static best: WindMill | undefined;
}

export function load(path: string): Promise<Mill>;
export function load(path: URL): Promise<Mill>;
export async function load(path: string | URL): Promise<Mill> {
  return JSON.parse(await readFile(path, 'utf8'));
}

export const useMill = <T,>(mill: T): T => mill;
