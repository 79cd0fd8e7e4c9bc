import { listErrors, MOST_LISTED, SvirtError } from "../errors.ts";
import type { XmlNode } from "./node.ts";

/** Maximum number of refusals collected from a document: the listed refusals, and another. */
const MOST_FAULTS = MOST_LISTED + 1;

/**
 * Refusals of a document. Reading continues after each, without the unknown place or without the whole value.
 */
export class Faults {
  readonly errors: SvirtError[] = [];
  /** List items missing from the value. */
  readonly leftOut = new Set<XmlNode>();
  /** Whether the value has all known parts of the document, without a contradiction. */
  isWhole = true;

  /** Records a thrown refusal. Returns the readable rest of the value, if any. Rethrows anything else. */
  take(thrown: unknown): unknown {
    if (thrown instanceof Unreadable) return thrown.rest;
    if (!(thrown instanceof SvirtError)) throw thrown;
    for (const error of listErrors(thrown)) this.report(error);
    return undefined;
  }

  /** Records a refusal. Throws FullList and so ends the reading if the list is full. */
  report(error: SvirtError): void {
    if (this.errors.length >= MOST_FAULTS) throw new FullList();
    this.errors.push(error);
  }
}

/** Unreadable value. Its refusals are in the faults. */
export class Unreadable extends Error {
  /** Readable values of a list. */
  readonly rest: unknown;

  constructor(rest?: unknown, options?: ErrorOptions) {
    super("the value is refused", options);
    this.rest = rest;
  }
}

/** Records a refusal in the faults; without them, throws it. */
export function report(faults: Faults | undefined, error: SvirtError): void {
  if (faults === undefined) throw error;
  faults.report(error);
}

/** Records a contradiction: no whole value remains. Without faults, throws it. */
export function contradict(faults: Faults | undefined, error: SvirtError): void {
  if (faults !== undefined) faults.isWhole = false;
  report(faults, error);
}

/** Runs each check and records all refusals. Without faults, throws the first refusal. */
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

/**
 * Reads a value. Returns undefined if it is refused; the faults then hold the refusals, up to the list's
 * limit.
 */
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
