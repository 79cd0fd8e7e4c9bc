import { type AgentCommand, type AgentReturn, parseReturn } from "../../qemu/agent/system.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { responseTimeoutMs } from "../agent/agent-timeout.ts";
import { agentSilent, askAgent } from "../agent/ask-agent.ts";

/** Time for work on the guest's file systems. */
export const SLOW_MS = 300_000;

/** Arguments of a command, and the time for its answer: that of the guest, or 5 s, unless it is slow. */
interface Question {
  readonly args?: Readonly<Record<string, unknown>>;
  readonly timeoutMs?: number;
}

/** Asks the agent in a running guest. Throws the errors of askAgent(), "failed" with the agent's reason. */
export async function askSystem<Name extends AgentCommand>(
  { guest, instance }: { readonly instance: Instance; readonly guest: GuestRecord },
  name: Name,
  { args, timeoutMs = responseTimeoutMs(guest) }: Question = {},
): Promise<AgentReturn<Name>> {
  const command = JSON.stringify({ execute: name, ...(args === undefined ? {} : { arguments: args }) });
  const said = await askAgent(instance, guest, { command, timeoutMs, isAnswered: true });
  if (said === undefined) throw agentSilent(guest.name, { isAnswered: true });
  return parseReturn(said.line, name);
}
