// One sound and one vibration for each tone. They differ in contour, not only in pitch, so that they are told apart
// in traffic: up; twice the same; down and up; long and falling; a wavering low one.

// [start, length, from Hz, to Hz], seconds
const NOTES = {
  go: [[0, 0.09, 880, 880], [0.1, 0.16, 1320, 1320]],
  check: [[0, 0.13, 740, 740], [0.2, 0.13, 740, 740]],
  next: [[0, 0.1, 990, 990], [0.11, 0.1, 660, 660], [0.22, 0.2, 990, 990]],
  stop: [[0, 0.6, 440, 165]],
  unknown: [[0, 0.14, 330, 392], [0.15, 0.14, 392, 330], [0.3, 0.14, 330, 392]],
};

const VIBRATIONS = {
  go: [70],
  check: [70, 90, 70],
  next: [60, 60, 60, 60, 240],
  stop: [500, 120, 500],
  unknown: [40, 70, 40, 70, 40, 70, 40],
};

/** Volume 0..1 is read at each sound. A browser lets a page sound only after a touch: call `wake()` in one. */
export class Sound {
  #context = null;

  constructor(volume) {
    this.volume = volume;
  }

  get isAwake() {
    return this.#context?.state === "running";
  }

  /** Returns whether it woke just now. */
  async wake() {
    const Context = globalThis.AudioContext ?? globalThis.webkitAudioContext;
    if (!Context || this.isAwake) return false;
    this.#context ??= new Context();
    await this.#context.resume().catch(() => {});
    return this.isAwake;
  }

  play(tone) {
    globalThis.navigator?.vibrate?.(VIBRATIONS[tone]);
    const volume = this.volume();
    if (!this.isAwake || volume === 0) return;
    const start = this.#context.currentTime + 0.01;
    for (const note of NOTES[tone]) this.#note(start, note, volume);
  }

  #note(start, [after, seconds, from, to], volume) {
    const oscillator = this.#context.createOscillator();
    const gain = this.#context.createGain();
    oscillator.type = "triangle"; // carries over engines, yet does not hurt at the ear
    oscillator.frequency.setValueAtTime(from, start + after);
    oscillator.frequency.exponentialRampToValueAtTime(to, start + after + seconds);
    gain.gain.setValueAtTime(0, start + after);
    gain.gain.linearRampToValueAtTime(volume, start + after + 0.01);
    gain.gain.setValueAtTime(volume, start + after + seconds - 0.03);
    gain.gain.linearRampToValueAtTime(0, start + after + seconds);
    oscillator.connect(gain).connect(this.#context.destination);
    oscillator.start(start + after);
    oscillator.stop(start + after + seconds);
  }
}
