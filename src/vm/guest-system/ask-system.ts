import { type AgentCommand, type AgentReturn, parseReturn } from "../../qemu/agent/system.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { askAgent } from "../agent/ask-agent.ts";

/** Time for work on the guest's file systems. */
export const SLOW_MS = 300_000;

/** Arguments of a command, and the time for its answer: 5 s unless it is slow. */
interface Question {
  readonly args?: Readonly<Record<string, unknown>>;
  readonly timeoutMs?: number;
}

/** Asks the agent in a running guest. Throws the errors of askAgent(), "failed" with the agent's reason. */
export async function askSystem<Name extends AgentCommand>(
  { guest, instance }: { readonly instance: Instance; readonly guest: GuestRecord },
  name: Name,
  { args, timeoutMs }: Question = {},
): Promise<AgentReturn<Name>> {
  const command = JSON.stringify({ execute: name, ...(args === undefined ? {} : { arguments: args }) });
  const said = await askAgent(instance, guest, { command, timeoutMs });
  return parseReturn(said?.line ?? { parts: [], bytes: 0 }, name);
}
