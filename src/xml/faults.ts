import { listErrors, MOST_LISTED, SvirtError } from "../errors.ts";
import type { XmlNode } from "./node.ts";

/** The most refusals of one document that are looked for: those that are listed, and one that is not. */
const MOST_FAULTS = MOST_LISTED + 1;

/** The refusals of one document. Reading goes on after each: without the unknown place, or without the whole value. */
export class Faults {
  readonly errors: SvirtError[] = [];
  /** List items that are missing from the value. */
  readonly leftOut = new Set<XmlNode>();
  /** Whether the value says all that is understood of the document, without a contradiction. */
  isWhole = true;

  /** Keeps a thrown refusal. Returns the readable rest of the value, if there is one. Throws anything else again. */
  take(thrown: unknown): unknown {
    if (thrown instanceof Unreadable) return thrown.rest;
    if (!(thrown instanceof SvirtError)) throw thrown;
    for (const error of listErrors(thrown)) this.report(error);
    return undefined;
  }

  /** Keeps a refusal. Throws "the list is full", which ends the reading. */
  report(error: SvirtError): void {
    if (this.errors.length >= MOST_FAULTS) throw new FullList();
    this.errors.push(error);
  }
}

/** A value that cannot be read. Its refusals are in the faults. */
export class Unreadable extends Error {
  /** The values of a list that can be read. */
  readonly rest: unknown;

  constructor(rest?: unknown, options?: ErrorOptions) {
    super("the value is refused", options);
    this.rest = rest;
  }
}

/** Keeps a refusal in the faults; without them throws it. */
export function report(faults: Faults | undefined, error: SvirtError): void {
  if (faults === undefined) throw error;
  faults.report(error);
}

/** The same for a contradiction, which leaves no whole value. */
export function contradict(faults: Faults | undefined, error: SvirtError): void {
  if (faults !== undefined) faults.isWhole = false;
  report(faults, error);
}

/** Carries out each check, and keeps all that they refuse. Without faults the first refusal is thrown. */
export function checkEach(faults: Faults | undefined, checks: readonly (() => void)[]): void {
  for (const check of checks) {
    try {
      check();
    } catch (thrown) {
      if (faults === undefined) throw thrown;
      faults.isWhole = false;
      faults.take(thrown);
    }
  }
}

/** Reads a value. Returns undefined if it is refused; all refusals are then in the faults, as far as the list goes. */
export function readWith<T>(faults: Faults, read: () => T): T | undefined {
  try {
    return read();
  } catch (thrown) {
    faults.isWhole = false;
    if (!(thrown instanceof FullList)) faults.take(thrown);
    return undefined;
  }
}

class FullList extends Error {}
