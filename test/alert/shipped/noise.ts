import { createRandom, type Random } from '../random.ts'

/** Noise that looks like that of real traffic, and is the same for the same seed. */
export class Noise {
  readonly #random: Random

  constructor(seed: number) {
    this.#random = createRandom(seed)
  }

  /** From 0 to 1 (exclusive). */
  uniform(): number {
    return this.#random.next()
  }

  /** With a mean of 0 and a standard deviation of 1 (Box and Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#random.next()))
    return radius * Math.cos(2 * Math.PI * this.#random.next())
  }

  /** How many come where so many do on average (Knuth: products of uniform numbers). */
  poisson(mean: number): number {
    const end = Math.exp(-mean)
    let count = 0
    for (let product = this.#random.next(); product > end; product *= this.#random.next()) count++
    return count
  }
}
