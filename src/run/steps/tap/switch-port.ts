import { SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import type { ProgramEnd } from "../../../host/processes.ts";
import {
  addPortCommand,
  findHolderCommand,
  findPortCommand,
  OVS_VSCTL,
  removePortCommand,
} from "../../../network/switch/port-commands.ts";
import type { OwnPort, PlannedPort, TapSetup } from "../../../plan/facts/tap.ts";
import type { StepOf } from "../../../plan/steps/step.ts";

const SETPRIV = "/usr/bin/setpriv";
/**
 * Ends the program with svirt: a change that is made after the next svirt has looked would stay. setpriv(1),
 * prctl(2)
 */
const UNTIL_SVIRT_ENDS = [SETPRIV, "--pdeathsig", "KILL", "--"];
/** Longer than the program's own limit, the time of its own end. */
const PROGRAM_MS = 10_000;
/**
 * Message of the program that ends by its own limit: the database has the change, and the switch has not
 * applied it.
 */
const IS_LATE = /terminating with signal 14/;
/** Message of the program, which nevertheless ends with 0, if the switch cannot use the tap. */
const IS_UNUSABLE = /^ovs-vsctl: Error detected while setting up .*$/m;
/** Message of the program if it cannot reach the database. */
const IS_DOWN = /database connection failed/;
const START_REMEDY = "Start Open vSwitch: systemctl start openvswitch-switch";

/**
 * Sets up the host end of a tap. A tap with a port of Open vSwitch joins it before it is brought up. Throws
 * "failed", "timeout".
 */
export async function setUpTap(host: Host, setup: TapSetup): Promise<void> {
  const { name, port } = setup;
  if (port !== undefined) {
    // A bridge uses the smallest MTU of its ports, so the tap has its own before it joins.
    host.setUpTap(setup, "down");
    await addPort(host, name, port);
  }
  host.setUpTap(setup);
}

async function addPort(host: Host, tap: string, port: PlannedPort): Promise<void> {
  await refuseOtherPort(host, tap, port);
  const end = await host.runProgram([...UNTIL_SVIRT_ENDS, ...addPortCommand(tap, port)], PROGRAM_MS);
  const isUnusable = "code" in end && IS_UNUSABLE.test(end.errors);
  if (isDone(end) && !isUnusable) return;
  throw failure(`Unable to add port ${tap} to OVS bridge ${port.bridge}`, end);
}

/**
 * Throws "in-use" for a port of the name other than a guest's. Without an answer, the later addition fails.
 */
async function refuseOtherPort(host: Host, tap: string, { bridge }: PlannedPort): Promise<void> {
  const output = await host.readOutput(findHolderCommand(tap));
  const names = "text" in output ? output.text.split("\n").filter((line) => line === tap) : [];
  if (names.length !== 1) return;
  throw new SvirtError(
    `Unable to add port ${tap} to OVS bridge ${bridge}: Open vSwitch has a port of that name that is not a guest's`,
    {
      kind: "in-use",
      libvirt: "INTERNAL_ERROR",
      remedy: `Write another name into <target>, or remove that port: ovs-vsctl del-port ${tap}`,
    },
  );
}

/**
 * Removes a tap, and its port of Open vSwitch if it is the interface's own. A leftover port would connect the
 * next tap of its name to the switch. Throws "failed" if the database does not answer, "unsupported" without
 * the program.
 */
export async function removeTap(host: Host, { port, ...tap }: StepOf<"remove-tap">): Promise<void> {
  host.removeTap(tap);
  if (port === undefined) return;
  if (!(await hasPort(host, tap.name, port))) return;
  const end = await host.runProgram([...UNTIL_SVIRT_ENDS, ...removePortCommand(tap.name)], PROGRAM_MS);
  // A switch that does not run has no port, and reads the database when it starts.
  if (isDone(end) || !(await hasPort(host, tap.name, port))) return;
  throw failure(`Unable to delete port ${tap.name} from OVS`, end);
}

async function hasPort(host: Host, tap: string, port: OwnPort): Promise<boolean> {
  const output = await host.readOutput(findPortCommand(tap, port));
  if ("text" in output) return output.text.trim() !== "";
  const isMissing = host.inspectFile(OVS_VSCTL) === undefined;
  throw new SvirtError(
    `Unable to delete port ${tap} from OVS: ${isMissing ? `${OVS_VSCTL} is missing` : "its database does not answer"}`,
    isMissing
      ? { kind: "unsupported", libvirt: "INTERNAL_ERROR", remedy: "Install openvswitch-switch." }
      : { kind: "failed", libvirt: "INTERNAL_ERROR", remedy: START_REMEDY },
  );
}

function isDone(end: ProgramEnd): boolean {
  return "code" in end && end.code === 0;
}

function failure(attempt: string, end: ProgramEnd): SvirtError {
  if ("code" in end && !IS_LATE.test(end.errors)) {
    const [unusable] = IS_UNUSABLE.exec(end.errors) ?? [];
    const why = unusable ?? end.errors.trim().split("\n").at(-1) ?? "";
    return new SvirtError(`${attempt}: ${why === "" ? `${OVS_VSCTL} failed with ${end.code}` : why}`, {
      kind: "failed",
      libvirt: "INTERNAL_ERROR",
      remedy: IS_DOWN.test(end.errors)
        ? START_REMEDY
        : "Name a bridge of Open vSwitch, and look at its state: ovs-vsctl show",
    });
  }
  if ("code" in end || end.fault === "timeout") {
    return new SvirtError(`${attempt}: ovs-vswitchd does not answer`, {
      kind: "timeout",
      libvirt: "INTERNAL_ERROR",
      remedy: START_REMEDY,
    });
  }
  return new SvirtError(
    `${attempt}: ${end.fault === "missing" ? `${SETPRIV} is missing` : `${OVS_VSCTL} is not permitted`}`,
    {
      kind: "unsupported",
      libvirt: "INTERNAL_ERROR",
      remedy:
        end.fault === "missing" ? "Install setpriv (util-linux)." : `Run it yourself: ${OVS_VSCTL} show`,
    },
  );
}
