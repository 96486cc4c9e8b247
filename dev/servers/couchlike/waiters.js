'use strict';

/** Callbacks that wait for the next news, each called once. */
class Waiters {
  constructor() {
    this.callbacks = new Set();
  }

  /** Returns what takes the callback back. */
  add(callback) {
    this.callbacks.add(callback);
    return () => this.callbacks.delete(callback);
  }

  wake() {
    const woken = this.callbacks;
    this.callbacks = new Set();
    for (const callback of woken) callback();
  }
}

module.exports = { Waiters };
