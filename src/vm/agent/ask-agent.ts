import { asSvirtError, SvirtError } from "../../errors.ts";
import type { LineChannel } from "../../host/channels.ts";
import { deviceLock } from "../../plan/paths.ts";
import { AGENT_PORT, isAgentPort } from "../../qemu/agent/agent-port.ts";
import { formatSync, isSynced, parseAgentCommand } from "../../qemu/agent/protocol.ts";
import type { Line } from "../../qemu/monitor/line-buffer.ts";
import { getLockHolder } from "../../run/process/lock-holder.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { askChannels } from "../console/channel-states.ts";
import { findConsole, listNamedPorts } from "../console/find-console.ts";
import { DEFAULT_TIMEOUT_MS } from "./agent-timeout.ts";

/** Longest wait for the end of other calls to the agent. QEMU_JOB_WAIT_TIME of libvirt's qemu_domainjob.c */
const TURN_MS = 30_000;
/** Time between two checks, in a wait without limit, that the caller and an agent are still connected. */
const CHECK_MS = 5000;
/** An agent returns at most 48 MiB of a file, a third more in base64. qemu.git qga/commands.c */
const MOST_ANSWER_BYTES = 65 * 1024 * 1024;

/** Command for an agent, and how long to wait for its answer. */
export interface AgentOptions {
  readonly command: string;
  /** Infinity: as long as an agent is connected; 0: do not wait for the answer. */
  readonly timeoutMs: number | undefined;
  /** The answer is needed, and the time that of the guest: 0 is then no time at all. */
  readonly isAnswered?: true;
  /** The guest is to end: a silent agent, or an agent of an ended guest, obeys. */
  readonly isLast?: true;
}

/** Other calls have used the agent all the time: it was not asked. */
export class AgentBusy extends SvirtError {}

/** Unparsed answer of an agent, for qemu/agent/answer.ts */
export interface SaidByAgent {
  readonly line: Line;
  /** Name of the command. */
  readonly name: string;
}

/**
 * Sends a command to the guest's agent once no other call uses it; undefined if no answer is awaited. Throws
 * "unsupported" without its channel, "timeout" when no agent answers or others use it for 30 s, "failed" for
 * an answer of more than 65 MiB. A wait without limit ends with the client's connection, and as "timeout"
 * once no agent is connected.
 */
export async function askAgent(
  instance: Instance,
  guest: GuestRecord,
  options: AgentOptions,
): Promise<SaidByAgent | undefined> {
  const { line, name } = parseAgentCommand(options.command);
  const { facts, id } = await findConsole(instance, guest, agentChannel(guest));
  const release = await waitForTurn(instance, deviceLock(instance.paths, guest.uuid, id));
  try {
    const channel = await instance.host.connectLines(facts);
    try {
      const { isAnswered, isLast, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
      const firstMs =
        timeoutMs === 0 && isAnswered !== true ? DEFAULT_TIMEOUT_MS : Math.min(timeoutMs, DEFAULT_TIMEOUT_MS);
      if (!(await synchronize(instance, channel, firstMs))) throw agentSilent(guest.name, options);
      // A large command takes its time.
      const sendMs = timeoutMs === Number.POSITIVE_INFINITY ? firstMs : Math.max(timeoutMs, firstMs);
      await channel.send(line, sendMs);
      if (timeoutMs === 0) return undefined;
      const answer = await readAnswer(channel, timeoutMs, {
        isLeft: async () => instance.hasCallerLeft?.() === true || !(await isConnected(instance, guest, id)),
      }).catch((error: unknown) => {
        // QEMU closes the socket when it ends.
        if (isLast !== true) throw error;
        return undefined;
      });
      if (answer === undefined && isLast === true) return undefined;
      if (answer === undefined) throw agentSilent(guest.name, options);
      return { line: answer, name };
    } finally {
      channel.close();
    }
  } finally {
    release();
  }
}

/** Locks the agent's channel: an agent answers call after call. Throws "timeout". */
async function waitForTurn({ host }: Instance, path: string): Promise<() => void> {
  try {
    return await host.lock(path, TURN_MS);
  } catch (error) {
    if (asSvirtError(error).kind !== "timeout") throw error;
    const holder = getLockHolder(host, path);
    const by = holder === undefined ? "" : ` (process ${holder.pid})`;
    throw new AgentBusy(
      `Timed out during operation: cannot acquire state change lock: another call${by} has used the guest's agent for ${TURN_MS / 1000} s`,
      { kind: "timeout", remedy: "Repeat the command later, or end that process.", cause: error },
    );
  }
}

function agentChannel(guest: GuestRecord): string {
  const found = listNamedPorts(guest).find(({ port }) => isAgentPort(port));
  if (found !== undefined) return found.id;
  throw new SvirtError("argument unsupported: QEMU guest agent is not configured", {
    kind: "unsupported",
    libvirt: "ARGUMENT_UNSUPPORTED",
    remedy: `Give the guest one (svirt attach-device): <channel type='unix'><target type='virtio' name='${AGENT_PORT}'/></channel>`,
  });
}

/**
 * Skips answers to earlier requests. Returns whether the agent answers in this time. qemuAgentGuestSync() of
 * libvirt
 */
async function synchronize({ host }: Instance, channel: LineChannel, timeoutMs: number): Promise<boolean> {
  const id = host.nowMs();
  if (timeoutMs > 0) await channel.send(formatSync(id), timeoutMs);
  for (let leftMs = timeoutMs; leftMs > 0; leftMs = id + timeoutMs - host.nowMs()) {
    const line = await channel.readLine(leftMs, MOST_ANSWER_BYTES);
    // The caller may allow less time.
    if (line === undefined) return false;
    if (isSynced(line, id)) return true;
  }
  return false;
}

/**
 * Returns the agent's answer; undefined if none comes in time or, without a limit, until the call is left.
 */
async function readAnswer(
  channel: LineChannel,
  timeoutMs: number,
  { isLeft }: { isLeft(): Promise<boolean> },
): Promise<Line | undefined> {
  if (timeoutMs !== Number.POSITIVE_INFINITY) return await channel.readLine(timeoutMs, MOST_ANSWER_BYTES);
  for (;;) {
    const answer = await channel.readLine(CHECK_MS, MOST_ANSWER_BYTES);
    if (answer !== undefined || (await isLeft())) return answer;
  }
}

/**
 * Returns whether a program in the guest has the agent's channel open; true if another conversation keeps
 * QEMU from answering.
 */
async function isConnected(instance: Instance, guest: GuestRecord, id: string): Promise<boolean> {
  try {
    return (await askChannels(instance, guest)).get(id) === true;
  } catch (error) {
    return asSvirtError(error).kind === "timeout";
  }
}

/** Returns the error of an agent that has not answered in time. Kind "timeout". */
export function agentSilent(name: string, { isAnswered, isLast }: Partial<AgentOptions>): SvirtError {
  const longer = isAnswered === true ? `svirt guest-agent-timeout ${name}` : "--timeout SECONDS";
  return new SvirtError("Guest agent is not responding: Guest agent not available for now", {
    kind: "timeout",
    libvirt: "AGENT_UNRESPONSIVE",
    remedy: `Start qemu-guest-agent in ${name}${isLast === true ? "." : `, or wait longer: ${longer}`}`,
  });
}
