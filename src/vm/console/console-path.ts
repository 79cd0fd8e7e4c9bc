import type { Instance } from "../../state/instance.ts";
import { findRunning } from "../guest/find-domain.ts";
import { findConsole } from "./find-console.ts";

/** Character device of a running guest, and its terminal or socket on the host. */
export interface ConsolePath {
  /** serial0, console1 */
  readonly device: string;
  readonly path: string;
}

/**
 * Returns the first serial port of a running guest or, if it has none, its first console. Throws "not-found",
 * "wrong-state", and the errors of findConsole().
 */
export async function getConsole(instance: Instance, key: string): Promise<ConsolePath> {
  const { guest } = findRunning(instance, key);
  const { facts, id } = await findConsole(instance, guest, undefined);
  return { device: id, path: facts.id.path };
}
