import * as v from "valibot";
import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { findRunning } from "../guest/find-domain.ts";
import { tellMonitor } from "../guest/guest-monitor.ts";

/**
 * Sends a command to a running guest's QEMU and returns its answer. The effects are not recorded. Throws
 * "not-found", "wrong-state", "timeout", and "failed" with QEMU's message.
 */
export async function sendMonitorCommand(
  instance: Instance,
  key: string,
  command: Parameters<typeof tellMonitor>[2],
): Promise<unknown> {
  return await tellMonitor(instance, findRunning(instance, key).guest.uuid, command);
}

/** Message with no other keys: svirt chooses the "id", and refuses unknown keys instead of dropping them. */
const qmpMessage = v.strictObject({
  execute: v.string(),
  arguments: v.optional(v.record(v.string(), v.unknown()), {}),
});

/** Parses a message of QMP, or a command's name alone. Throws "usage" for any other text. */
export function parseMonitorMessage(text: string): v.InferOutput<typeof qmpMessage> {
  if (!text.trimStart().startsWith("{")) return { execute: text.trim(), arguments: {} };
  const { output, success } = v.safeParse(qmpMessage, parseJson(text));
  if (!success) throw bad(text);
  return output;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw bad(text, error);
  }
}

function bad(text: string, cause?: unknown): SvirtError {
  return new SvirtError(
    `Cannot read the QMP command ${text.slice(0, 80)}: it is not {"execute": NAME, "arguments": {}}`,
    {
      kind: "usage",
      remedy: 'Write it like \'{"execute":"query-status"}\'.',
      cause,
    },
  );
}
