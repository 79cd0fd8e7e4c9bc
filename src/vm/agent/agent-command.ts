import type { Instance } from "../../state/instance.ts";
import { findRunning } from "../guest/find-domain.ts";
import { type AgentOptions, askAgent, type SaidByAgent } from "./ask-agent.ts";

/**
 * Sends a command to the agent of a running guest; undefined if no answer is awaited. Throws "not-found",
 * "wrong-state", and the errors of askAgent().
 */
export async function sendAgentCommand(
  instance: Instance,
  key: string,
  options: AgentOptions,
): Promise<SaidByAgent | undefined> {
  return await askAgent(instance, findRunning(instance, key).guest, options);
}
