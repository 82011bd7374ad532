// The camera: asking for it politely, keeping it alive, handing its frames to a decoder, and its light.

import { seenRegion } from "./decoder.js";

const WANTED = { audio: false, video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } } };
const SHORTEST_FRAME_MS = 50; // at most 20 looks a second; more only warms the phone

/**
 * `onState(state)`: "ask" (a touch is needed first), "starting", "live", "refused", "none", "busy", "insecure".
 * `onText(text)`: a code is in sight; called for every frame that shows it.
 */
export class Camera {
  #stream = null;

  constructor({ video, decoder, onState, onText, onFailure }) {
    Object.assign(this, { video, decoder, onState, onText, onFailure });
  }

  /** Starts at once where permission was given before, else waits for `start()` in a touch. */
  async prepare() {
    if (!navigator.mediaDevices?.getUserMedia) {
      this.onState(globalThis.isSecureContext ? "none" : "insecure");
      return;
    }
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.#stream && this.#track?.readyState !== "live") this.start();
    });
    const permission = await navigator.permissions?.query({ name: "camera" }).catch(() => null);
    permission?.addEventListener("change", () => permission.state === "granted" && !this.#isLive && this.start());
    if (permission?.state === "granted") await this.start();
    else this.onState(permission?.state === "denied" ? "refused" : "ask");
  }

  async start() {
    this.stop();
    this.onState("starting");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia(WANTED);
      this.#stream = stream;
      this.video.srcObject = stream;
      await this.video.play();
    } catch (error) {
      this.stop();
      this.onState(stateAfter(error));
      return;
    }
    this.#track.addEventListener("ended", () => this.#stream === stream && !document.hidden && this.start());
    this.onState("live");
    this.#look(stream);
  }

  stop() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
  }

  get hasTorch() {
    return Boolean(this.#track?.getCapabilities?.().torch);
  }

  /** Returns whether the light obeyed. */
  async setTorch(on) {
    try {
      await this.#track.applyConstraints({ advanced: [{ torch: on }] });
      return true;
    } catch {
      return false;
    }
  }

  get #track() {
    return this.#stream?.getVideoTracks()[0];
  }

  get #isLive() {
    return this.#track?.readyState === "live";
  }

  async #look(stream) {
    while (this.#stream === stream) {
      const started = await nextFrame(this.video);
      const { videoWidth, videoHeight, clientWidth, clientHeight } = this.video;
      if (!videoWidth || this.#stream !== stream) continue;
      try {
        const text = await this.decoder.read(
          this.video,
          seenRegion(videoWidth, videoHeight, clientWidth, clientHeight),
        );
        if (text && this.#stream === stream) this.onText(text, started);
      } catch (error) {
        this.onFailure(error);
        return;
      }
      await rest(SHORTEST_FRAME_MS - (performance.now() - started));
    }
  }
}

/** Which of the camera's states an error of getUserMedia means. */
export function stateAfter(error) {
  if (error.name === "NotAllowedError" || error.name === "SecurityError") return "refused";
  if (error.name === "NotFoundError" || error.name === "OverconstrainedError") return "none";
  return "busy";
}

function nextFrame(video) {
  return new Promise((resolve) => {
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback((now) => resolve(now));
    else requestAnimationFrame(resolve);
  });
}

function rest(ms) {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : undefined;
}
