import { parseDomain } from "../../../domain/document.ts";
import { formatSteps } from "../../../plan/steps/describe.ts";
import { planStop } from "../../../plan/steps/inverse.ts";
import type { Step } from "../../../plan/steps/step.ts";
import type { Instance } from "../../../state/instance.ts";
import { allSteps } from "../../../state/reason.ts";
import { type GuestRecord, isRunning, readRecord } from "../../../state/record.ts";
import { type FoundDomain, findDomain } from "../../../vm/guest/find-domain.ts";
import { findManagedState } from "../../../vm/save/restore-domain.ts";
import { planDomainStart } from "../../../vm/start/start.ts";
import { MOST_BYTES } from "../../../xml/limits.ts";
import { type Call, type Command, JSON_OPTION, printJson } from "../../command.ts";

/** `svirt plan DOMAIN` */
export const command: Command = {
  spec: {
    name: "plan",
    summary: "print all steps of a start, with labels before and after, and change nothing",
    details:
      "A running domain has none, since a start does not change it. --stop prints the steps of its end.",
    operands: [
      { name: "domain", summary: "name, id or uuid of a domain; a path with a /; or - for standard input" },
    ],
    options: [{ name: "stop", summary: "print the steps of its end instead" }, JSON_OPTION],
  },
  async run(call) {
    const { guest, steps } = await planSteps(call);
    if (call.options.has("json")) printJson(call, steps);
    else if (guest !== undefined && steps.length === 0)
      call.output.print(`Domain '${guest.name}' is already active\n\n`);
    else call.output.print(formatSteps(steps));
    return undefined;
  },
};

interface Planned {
  readonly steps: readonly Step[];
  /** Running guest: its start is complete, and the steps of its end are known. */
  readonly guest?: GuestRecord | undefined;
}

async function planSteps(call: Call): Promise<Planned> {
  const isStop = call.options.has("stop");
  const { bytes, found, guest } = readOperand(call);
  if (guest !== undefined) return { guest, steps: isStop ? planStop(allSteps(guest)) : [] };
  const saved = found === undefined ? undefined : findManagedState(call.instance, found);
  const start = await planDomainStart(call.instance, saved?.bytes ?? bytes, saved?.incoming);
  return { steps: isStop ? planStop(start) : start };
}

interface Subject {
  readonly bytes: Uint8Array;
  /** Absent if the XML itself is given. */
  readonly found?: FoundDomain;
  readonly guest: GuestRecord | undefined;
}

/** Returns the XML, and the guest that a start would report as running. */
function readOperand({ instance, operands }: Call): Subject {
  const key = operands.get("domain") ?? "";
  if (key === "-" || key.includes("/")) {
    const bytes = instance.host.readInput(key, MOST_BYTES);
    return { bytes, guest: findGuest(instance, parseDomain(bytes).uuid) };
  }
  const found = findDomain(instance, key);
  const xml = found.definition?.xml ?? found.guest?.xml ?? "";
  return { bytes: new TextEncoder().encode(xml), found, guest: found.guest };
}

function findGuest(instance: Instance, uuid: string | undefined): GuestRecord | undefined {
  const guest = uuid === undefined ? undefined : readRecord(instance, uuid);
  return guest !== undefined && isRunning(instance, guest) ? guest : undefined;
}
