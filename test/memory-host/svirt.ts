import type { Host } from "../../src/host/host.ts";

/** Moment of a strike: before the call has an effect, half way (if the call has a middle), or after it. */
export type Moment = "before" | "within" | "after";

/** Strike at the n-th call that changes something, counted from 1. */
export interface Strike {
  readonly at: number;
  readonly moment: Moment;
  /** A crash ends this svirt like SIGKILL. A failure is an error that the call throws once. */
  readonly how: "crash" | "fail";
}

/** Crash of a svirt process. Every later call throws it again, so that no code can continue. */
class Crash extends Error {
  constructor(call: string) {
    super(`svirt was killed at ${call}`);
    this.name = "Crash";
  }
}

const CHANGES: ReadonlySet<string> = new Set([
  "runProgram",
  "copyToDevice",
  "writeText",
  "writeVolatile",
  "stageText",
  "placeText",
  "removeFile",
  "removeSame",
  "makeFolder",
  "makeFolderWithin",
  "removeEmptyFolder",
  "assignFolder",
  "removeFolder",
  "makeSymlink",
  "makeLinkWithin",
  "removeLink",
  "makeFile",
  "makeFileWithin",
  "removeLeftParts",
  "resizeFile",
  "fillFile",
  "wipeFile",
  "rewriteImage",
  "writeBytes",
  "renameFile",
  "grantAccess",
  "revokeAccess",
  "setOwnership",
  "openMount",
  "unmount",
  "lock",
  "signalProcess",
  "killUser",
  "spawnGuest",
  "setUpTap",
  "removeTap",
  "disconnectTap",
  "makeMacvtap",
  "removeMacvtap",
  "makeBridge",
  "removeBridge",
  "setPacketRules",
  "removeTapTable",
  "shapeTap",
  "setFloor",
  "writeControl",
  "writeControls",
  "removeControlGroup",
  "moveThread",
  "setAffinity",
  "setScheduler",
  "setMemlock",
  "spawnHelper",
  "spawnDaemon",
  "endDaemon",
] satisfies (keyof Host)[]);

/** One svirt process. Counts the calls that change something, and can be killed at each of them. */
export class Svirt {
  /** Names of the calls that changed something, in order. */
  readonly changes: string[] = [];
  readonly #strike: Strike | undefined;
  readonly #onDeath: () => void;
  readonly #makeError: (call: string) => Error;
  readonly #atDeath: (() => void)[] = [];
  #isDead = false;

  constructor(facts: {
    readonly strike: Strike | undefined;
    readonly onDeath: () => void;
    readonly makeError: (call: string) => Error;
  }) {
    this.#strike = facts.strike;
    this.#onDeath = facts.onDeath;
    this.#makeError = facts.makeError;
  }

  /** Registers an effect that the death of the process has in the kernel. */
  atDeath(act: () => void): void {
    this.#atDeath.push(act);
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Kills the process like SIGKILL. */
  die(call: string): never {
    this.exit();
    throw new Crash(call);
  }

  /** Ends the process normally; the kernel releases its locks. */
  exit(): void {
    this.#isDead = true;
    this.#onDeath();
    for (const act of this.#atDeath) act();
  }

  /** Marks the middle of a call in which the kernel may be stopped. */
  midway(): void {
    if (this.#strikesNow("within")) this.#struck("within a call");
  }

  /** Returns a host whose calls all pass through this process. */
  watch(host: Host): Host {
    return new Proxy(host, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) =>
          this.call(String(name), CHANGES.has(String(name)), () => Reflect.apply(member, target, args));
      },
    });
  }

  /** Runs a call, unless this process is dead or the call is struck. */
  call(name: string, changes: boolean, act: () => unknown): unknown {
    if (this.#isDead) throw new Crash(name);
    if (!changes) return act();
    this.changes.push(name);
    if (this.#strikesNow("before")) this.#struck(name);
    const result = this.#attempt(name, act);
    if (result instanceof Promise) {
      return result.then(
        (value: unknown) => this.#strikeGiven(name, value),
        (error: unknown) => this.#strikeFailed(name, error),
      );
    }
    this.#strikeAfter(name);
    return result;
  }

  /**
   * Strikes a call after its result has arrived. A struck lock call releases its lock, because it reports
   * failure.
   */
  #strikeGiven(name: string, given: unknown): unknown {
    try {
      this.#strikeAfter(name);
      return given;
    } catch (error) {
      if (name === "lock" && typeof given === "function") given();
      throw error;
    }
  }

  /** Runs a call. A call that fails can be struck, too. */
  #attempt(name: string, act: () => unknown): unknown {
    try {
      return act();
    } catch (error) {
      return this.#strikeFailed(name, error);
    }
  }

  #strikeFailed(name: string, error: unknown): never {
    if (!(error instanceof Crash)) this.#strikeAfter(name);
    throw error;
  }

  #strikeAfter(name: string): void {
    // A call without a middle is struck at its end.
    if (this.#strikesNow("after") || this.#strikesNow("within")) this.#struck(name);
  }

  #strikesNow(moment: Moment): boolean {
    return this.#strike?.moment === moment && this.#strike.at === this.changes.length && !this.#isDead;
  }

  #struck(name: string): never {
    if (this.#strike?.how === "fail") throw this.#makeError(name);
    return this.die(name);
  }
}
