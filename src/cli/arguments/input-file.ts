import { MOST_BYTES } from "../../xml/limits.ts";
import type { Call } from "../command.ts";

/**
 * Reads the XML in a file that the command line names; `-` is standard input. Throws "not-found", "usage",
 * "host-call".
 */
export function readInputFile({ instance }: Pick<Call, "instance">, file: string): Uint8Array {
  return instance.host.readInput(file, MOST_BYTES);
}
