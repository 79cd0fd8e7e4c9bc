import { mkdirSync } from "node:fs";
import { asSvirtError } from "../../../errors.ts";
import { decideMachine, KEPT_ID, type Machine, type MachineFacts } from "../../../label/machine.ts";
import { folderOf } from "../../../plan/folder-of.ts";
import { writeText } from "../files/durable-write.ts";
import { orThrow } from "../files/files.ts";
import { readText } from "../files/quick-files.ts";
import { getBootId } from "../processes/reused-pid.ts";

let machine: Machine | undefined;

/**
 * Implements Host.getMachine: reads it once, so all marks of a call are equal. machine-id(5), sysfs-class-dmi
 */
export function getMachine(): Machine {
  machine ??= readMachine();
  return machine;
}

function readMachine(): Machine {
  const bootId = getBootId();
  const facts: MachineFacts = {
    machineId: readAllowed("/etc/machine-id"),
    isTransient: readAllowed("/run/machine-id") !== undefined,
    productUuid: readAllowed("/sys/class/dmi/id/product_uuid"),
    keptId: readAllowed(KEPT_ID),
    bootId,
    hostName: readAllowed("/proc/sys/kernel/hostname"),
  };
  const found = decideMachine(facts);
  const isOfBoot = decideMachine({ ...facts, bootId: "" }).id === "";
  if (!isOfBoot || process.getuid?.() !== 0) return found;
  const keptId = crypto.randomUUID();
  orThrow(`make ${folderOf(KEPT_ID)}`, () => mkdirSync(folderOf(KEPT_ID), { recursive: true }));
  writeText(KEPT_ID, `${keptId}\n`, 0o600);
  return decideMachine({ ...facts, keptId });
}

/** Returns undefined if svirt is not permitted to read the file: only root may read the board's UUID. */
function readAllowed(path: string): string | undefined {
  try {
    return readText(path);
  } catch (error) {
    if (asSvirtError(error).kind === "no-access") return undefined;
    throw error;
  }
}
