import type { Host } from "../../src/host/host.ts";

/** When a call is struck: before it did anything, half way (where it has one), or after. */
export type Moment = "before" | "within" | "after";

/** What is to happen at the n-th call that changes something, counted from 1. */
export interface Strike {
  readonly at: number;
  readonly moment: Moment;
  /** A crash ends this svirt, as SIGKILL would; a failure is an error that the call throws, once. */
  readonly how: "crash" | "fail";
}

/** No code can survive it: whatever is called after it throws it again. */
class Crash extends Error {
  constructor(call: string) {
    super(`svirt was killed at ${call}`);
    this.name = "Crash";
  }
}

const CHANGES: ReadonlySet<string> = new Set([
  "writeText",
  "writeVolatile",
  "stageText",
  "placeText",
  "removeFile",
  "makeFolder",
  "giveFolder",
  "removeFolder",
  "makeSymlink",
  "makeLinkWithin",
  "removeLink",
  "makeFile",
  "writeBytes",
  "renameFile",
  "grantAccess",
  "revokeAccess",
  "setOwnership",
  "lock",
  "signalProcess",
  "killUser",
  "spawnGuest",
  "setUpTap",
  "removeTap",
  "writeControl",
  "removeControlGroup",
  "moveThread",
  "setAffinity",
  "setScheduler",
  "setMemlock",
  "spawnHelper",
] satisfies (keyof Host)[]);

/** One process of svirt: it counts what it changes, and can be killed at any of these calls. */
export class Svirt {
  /** The names of the calls that changed something, in order. */
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

  /** What the kernel does when the process is gone, besides. */
  atDeath(act: () => void): void {
    this.#atDeath.push(act);
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** SIGKILL. */
  die(call: string): never {
    this.exit();
    throw new Crash(call);
  }

  /** It ends in its own time: the kernel lets go of its locks. */
  exit(): void {
    this.#isDead = true;
    this.#onDeath();
    for (const act of this.#atDeath) act();
  }

  /** Half of a call that the kernel may be stopped within is done. */
  midway(): void {
    if (this.#strikesNow("within")) this.#struck("within a call");
  }

  /** A host whose every call goes through this process. */
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

  /** Carries a call out, unless this process is dead or the call is struck. */
  call(name: string, changes: boolean, act: () => unknown): unknown {
    if (this.#isDead) throw new Crash(name);
    if (!changes) return act();
    this.changes.push(name);
    if (this.#strikesNow("before")) this.#struck(name);
    const result = this.#attempt(name, act);
    if (result instanceof Promise) {
      return result.then((value: unknown) => this.#strikeGiven(name, value));
    }
    this.#strikeAfter(name);
    return result;
  }

  /** A lock that could not be had is not held: what was given is given back. */
  #strikeGiven(name: string, given: unknown): unknown {
    try {
      this.#strikeAfter(name);
      return given;
    } catch (error) {
      if (name === "lock" && typeof given === "function") given();
      throw error;
    }
  }

  /** A call that fails can be struck, too. */
  #attempt(name: string, act: () => unknown): unknown {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof Crash)) this.#strikeAfter(name);
      throw error;
    }
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
