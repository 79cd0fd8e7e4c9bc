import * as v from "valibot";
import { SvirtError } from "../errors.ts";

/** Makes the agent forget half a message, and stands before its answer to guest-sync-delimited. qemu.git qga/qapi-schema.json */
const SENTINEL = 0xff;

/** Asks the agent to say a number, so that answers to questions of others before are told from ours. */
export function formatSync(id: number): Uint8Array {
  const line = `${JSON.stringify({ execute: "guest-sync-delimited", arguments: { id } })}\n`;
  return new Uint8Array([SENTINEL, ...new TextEncoder().encode(line)]);
}

/** Whether the line is the agent's answer to that; whatever else comes is for somebody else. */
export function isSynced(line: Uint8Array, id: number): boolean {
  const at = line.lastIndexOf(SENTINEL);
  const read = at === -1 ? undefined : parseJson(line.subarray(at + 1));
  return v.is(v.object({ return: v.literal(id) }), read);
}

/** What an agent is asked: a JSON object with a command's name. Throws "usage". */
export function parseAgentCommand(text: string): { readonly name: string; readonly line: Uint8Array } {
  const read = v.safeParse(v.looseObject({ execute: v.string() }), parseJson(new TextEncoder().encode(text)));
  if (read.success) {
    const line = new TextEncoder().encode(`${JSON.stringify(read.output)}\n`);
    return { name: read.output.execute, line };
  }
  throw new SvirtError(`Cannot read the agent's command ${text.slice(0, 80)}: it is not {"execute": NAME}`, {
    kind: "usage",
    remedy: `Write it like '{"execute":"guest-ping"}'.`,
  });
}

const failure = v.object({ error: v.object({ desc: v.string() }) });

/** The agent's answer, as it said it. Throws "failed" with the agent's words, in virsh's. */
export function parseAgentAnswer(line: Uint8Array, command: string): unknown {
  const answer = parseJson(line);
  if (v.is(v.looseObject({ return: v.unknown() }), answer)) return answer;
  const failed = v.safeParse(failure, answer);
  const why = failed.success ? failed.output.error.desc : "its answer is neither a return nor an error";
  throw new SvirtError(`internal error: unable to execute QEMU agent command '${command}': ${why}`, {
    kind: "failed",
    remedy: `See what it can: svirt qemu-agent-command DOMAIN '{"execute":"guest-info"}'`,
  });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
