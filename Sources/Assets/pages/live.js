// What comes by server-sent events, and what the page remembers of it.

/** Values by bucket of `step` seconds, the newest `limit` of them. */
export class Buckets {
  #values = new Map();

  constructor(step, limit) {
    this.step = step;
    this.limit = limit;
  }

  add(second, value) {
    const at = Math.floor(second / this.step) * this.step;
    this.#values.set(at, (this.#values.get(at) ?? 0) + value);
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= this.limit) break;
      this.#values.delete(oldest);
    }
  }

  /** Takes over what the program remembers: the page's own part of it goes. */
  seed(points) {
    this.#values = new Map();
    for (const [second, value] of points) this.add(second, value);
  }

  /** {from, to, step, values} of the `limit` buckets that end with the one of `now`. */
  window(now, limit = this.limit) {
    const last = Math.floor(now / this.step) * this.step;
    const from = last - (limit - 1) * this.step;
    const values = Array.from({ length: limit }, (_, place) => this.#values.get(from + place * this.step) ?? 0);
    return { from, to: last + this.step, step: this.step, values };
  }
}

/**
 * The stream of `/events`. `onmoment(moment, before)` is called with each message, `onstate` with "live" or "lost".
 *
 * A browser comes again by itself after a broken connection, but not after an answer that is no stream (503: too many watch): this does.
 */
export class Live {
  #source = null;
  #before = null;
  #timer = 0;

  constructor({ onmoment, onstate }) {
    this.onmoment = onmoment;
    this.onstate = onstate;
    this.#open();
    // A page that nobody looks at takes no place among those that watch.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#close() : this.#open()));
  }

  #open() {
    if (this.#source) return;
    clearTimeout(this.#timer);
    const source = (this.#source = new EventSource("/events"));
    source.onmessage = (event) => {
      const moment = JSON.parse(event.data);
      moment.second = Date.parse(moment.time) / 1000;
      // A program that has begun anew counts from nothing: what was before tells no difference.
      const before = this.#before && moment.uptime_seconds >= this.#before.uptime_seconds ? this.#before : null;
      this.#before = moment;
      this.onstate("live");
      this.onmoment(moment, before);
    };
    source.onerror = () => {
      this.onstate("lost");
      if (source.readyState !== EventSource.CLOSED) return;
      this.#close();
      this.#timer = setTimeout(() => this.#open(), 5000);
    };
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }
}

/**
 * Calls `work` now and every `seconds` while the page is seen, never twice at a time; returns a function that ends it. Work that takes its
 * time, as a walk over a million series does, comes less often: it takes a tenth of the program's at most.
 */
export function every(seconds, work) {
  let timer = 0;
  let isBusy = false;
  let hasEnded = false;
  const turn = async () => {
    if (isBusy) return;
    isBusy = true;
    const begin = performance.now();
    try {
      if (!document.hidden) await work();
    } catch (fault) {
      // The program is away: the stream's state says so, and the next turn asks again.
      if (!(fault instanceof TypeError || fault instanceof SyntaxError)) throw fault;
    }
    isBusy = false;
    if (!hasEnded) timer = setTimeout(turn, Math.max(seconds * 1000, 9 * (performance.now() - begin)));
  };
  const wake = () => {
    if (document.hidden || hasEnded) return;
    clearTimeout(timer);
    turn();
  };
  document.addEventListener("visibilitychange", wake);
  turn();
  return () => {
    hasEnded = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", wake);
  };
}
