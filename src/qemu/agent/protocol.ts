import * as v from "valibot";
import { SvirtError } from "../../errors.ts";
import { joinBytes, type Line } from "../monitor/line-buffer.ts";

/**
 * Resets the agent's parser and precedes its answer to guest-sync-delimited. qemu.git qga/qapi-schema.json
 */
const SENTINEL = 0xff;

/** Returns the request for a repetition of `id`: it separates earlier answers from later answers. */
export function formatSync(id: number): Uint8Array {
  const line = `${JSON.stringify({ execute: "guest-sync-delimited", arguments: { id } })}\n`;
  return new Uint8Array([SENTINEL, ...new TextEncoder().encode(line)]);
}

/** Maximum length in bytes of the answer to guest-sync-delimited. */
const SYNC_BYTES = 100;

/** Whether the line ends with the answer to formatSync(). Other lines answer other clients. */
export function isSynced({ parts }: Line, id: number): boolean {
  const tail = joinBytes(parts.slice(-2)).subarray(-SYNC_BYTES);
  const at = tail.lastIndexOf(SENTINEL);
  const read = at === -1 ? undefined : parseJson(tail.subarray(at + 1));
  return v.is(v.object({ return: v.literal(id) }), read);
}

/** Parses a command for the agent: a JSON object with the command's name. Throws "usage". */
export function parseAgentCommand(text: string): { readonly name: string; readonly line: Uint8Array } {
  const read = v.safeParse(v.looseObject({ execute: v.string() }), parseJson(new TextEncoder().encode(text)));
  if (read.success) {
    const line = new TextEncoder().encode(`${JSON.stringify(read.output)}\n`);
    return { name: read.output.execute, line };
  }
  throw new SvirtError(`Cannot read the agent's command ${text.slice(0, 80)}: it must be {"execute": NAME}`, {
    kind: "usage",
    remedy: `Write it like '{"execute":"guest-ping"}'.`,
  });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
