// Members of a team exchange values in memory that their workers share: each writes what it sends into its own slot, and reads the others'
// when all have written. There are two slots a member, used in turns, so nobody writes where another still reads. One call follows another
// when its map is there (drawing.js), so that whoever may still read belongs to a call whose result is dropped.

/** A team for one call. @typedef {{ control: Int32Array, slots: Float32Array, members: number, rank: number }} TeamSetup */

/** Values that a slot holds; more are exchanged in several rounds. */
const SLOT = 1 << 18;
/** The bit of `control` that says that a member is gone; those below count how often members have written. */
const GONE = 1 << 30;
/** Looks at `control` before a member sleeps until it changes, a fraction of a millisecond: most exchanges take less time than a sleep. */
const LOOKS = 40000;
/** How long the others may compute between two exchanges. */
const PATIENCE_MS = 30_000;

/** Whether this page may share memory among its workers: its answers have the headers that isolate it from other origins. */
export const canShareMemory = () => globalThis.crossOriginIsolated === true;

/**
 * Slots for all calls of a team.
 * @param {number} members
 */
export const newSlots = (members) => new Float32Array(new SharedArrayBuffer(4 * SLOT * 2 * members));

/** The state of one call. */
export const newControl = () => new Int32Array(new SharedArrayBuffer(4));

/**
 * Tells the other members that one is gone. One that waits for values which it will not get fails; one that has all is not disturbed.
 * @param {Int32Array} control
 */
export function leave(control) {
  Atomics.or(control, 0, GONE);
  Atomics.notify(control, 0);
}

/** One member during one call. */
export class Team {
  #control;
  #slots;
  #round = 0;

  /** @param {TeamSetup} setup */
  constructor({ control, slots, members, rank }) {
    this.#control = control;
    this.#slots = slots;
    this.members = members;
    this.rank = rank;
  }

  /**
   * Gives `sent` to all and fills `received` with what each member has sent, in the order of their ranks.
   * @param {Float32Array} sent
   * @param {Float32Array} received
   */
  gather(sent, received) {
    for (let start = 0; start < sent.length; start += SLOT) {
      const part = sent.subarray(start, start + SLOT);
      this.#slot(this.rank).set(part);
      this.#await();
      for (let member = 0; member < this.members; member += 1) {
        received.set(this.#slot(member).subarray(0, part.length), member * sent.length + start);
      }
      this.#round += 1;
    }
  }

  /** @param {number} member */
  #slot(member) {
    const first = (2 * member + (this.#round % 2)) * SLOT;
    return this.#slots.subarray(first, first + SLOT);
  }

  /** Waits until all have written in this round. */
  #await() {
    Atomics.add(this.#control, 0, 1);
    Atomics.notify(this.#control, 0);
    const wanted = (this.#round + 1) * this.members;
    for (let looks = 0; ; looks += 1) {
      const state = Atomics.load(this.#control, 0);
      if ((state & (GONE - 1)) >= wanted) return;
      if (state & GONE) throw new Error('a worker that shared the map is gone');
      // The others may have other calls to end before this one.
      const patience = this.#round ? PATIENCE_MS : Infinity;
      if (looks >= LOOKS && Atomics.wait(this.#control, 0, state, patience) === 'timed-out') {
        throw new Error(`a worker that shared the map said nothing for ${PATIENCE_MS / 1000} s`);
      }
    }
  }
}
