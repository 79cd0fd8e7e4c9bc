import { parseReturn } from "../../qemu/agent/system.ts";
import type { Instance } from "../../state/instance.ts";
import { type GuestRecord, writeEnding, writeRecord } from "../../state/record.ts";
import { askAgent } from "../agent/ask-agent.ts";
import { findDomain, findRunning } from "../guest/find-domain.ts";
import { withMonitor } from "../guest/guest-monitor.ts";
import { withRunning } from "./ask-guest.ts";

/** Ways to ask a guest to power off. With both, the button follows an agent that fails. */
export interface AskingWays {
  readonly byAgent: boolean;
  readonly byButton: boolean;
}

const BUTTON: AskingWays = { byAgent: false, byButton: true };
/** An agent answers only if it fails to shut down. qemu.git qga/qapi-schema.json */
const REFUSAL_MS = 2000;

/**
 * Asks the guest to power off, as by its button or by its agent; the guest may ignore it. `did` is false if
 * the guest is off.
 */
export async function shutdownGuest(
  instance: Instance,
  key: string,
  ways: AskingWays = BUTTON,
): Promise<{ name: string; did: boolean }> {
  const { guest, name } = findDomain(instance, key);
  if (guest === undefined) return { name, did: false };
  await byWays(ways, {
    askAgent: () => shutdownByAgent(instance, guest.uuid),
    press: () => pressPowerButton(instance, guest.uuid, "shutdown"),
  });
  return { name, did: true };
}

/**
 * Asks the guest to power off; its reaper then starts it again. So a reboot is a cold start and uses the
 * current definition. A reboot by the agent is the guest's own, without an end. Throws "wrong-state".
 */
export async function rebootGuest(
  instance: Instance,
  key: string,
  ways: AskingWays = BUTTON,
): Promise<{ name: string }> {
  const { guest, name } = findRunning(instance, key);
  await byWays(ways, {
    askAgent: () => tellAgent(instance, guest, "reboot"),
    press: () => pressPowerButton(instance, guest.uuid, "reboot"),
  });
  return { name };
}

interface Acts {
  askAgent(): Promise<void>;
  press(): Promise<void>;
}

/** qemuDomainShutdownFlags() and qemuDomainReboot() of libvirt */
async function byWays({ byAgent, byButton }: AskingWays, { askAgent: ask, press }: Acts): Promise<void> {
  if (!byAgent) return await press();
  try {
    await ask();
  } catch (error) {
    if (!byButton) throw error;
    await press();
  }
}

/**
 * Records the request first, and forgets it if the agent fails: an earlier request of a reboot then still
 * counts.
 */
async function shutdownByAgent(instance: Instance, uuid: string): Promise<void> {
  let before: GuestRecord["intent"];
  const { result: guest } = await withRunning(instance, uuid, async (now) => {
    before = now.intent;
    writeEnding(instance, { ...now, intent: "shutdown" });
    return now;
  });
  try {
    // Without the guest's lock: the agent may be slow.
    await tellAgent(instance, guest, "powerdown");
  } catch (error) {
    if (before === "reboot")
      await withRunning(instance, uuid, async (now) => {
        if (now.intent === "shutdown") writeRecord(instance, { ...now, intent: "reboot" });
      });
    throw error;
  }
}

async function tellAgent(
  instance: Instance,
  guest: GuestRecord,
  mode: "powerdown" | "reboot",
): Promise<void> {
  const command = JSON.stringify({ execute: "guest-shutdown", arguments: { mode } });
  const said = await askAgent(instance, guest, { command, timeoutMs: REFUSAL_MS, isLast: true });
  if (said !== undefined) parseReturn(said.line, "guest-shutdown");
}

async function pressPowerButton(
  instance: Instance,
  uuid: string,
  intent: "shutdown" | "reboot",
): Promise<void> {
  await withRunning(instance, uuid, async (guest) => {
    // A reboot requires the record on disk: only it says that a start follows the end.
    if (intent === "reboot") writeRecord(instance, { ...guest, intent });
    else writeEnding(instance, { ...guest, intent });
    await withMonitor(instance, guest.uuid, (monitor) => monitor.execute("system_powerdown"));
  });
}
