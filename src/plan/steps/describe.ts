import { nameOf } from "../../qemu/monitor/plug-commands.ts";
import { describeTap } from "../facts/describe-tap.ts";
import { FILE_TO_COME, fileKey } from "../facts/file.ts";
import type { HandedPeer } from "../facts/guest-order.ts";
import type { Claim, MonitorCommand } from "../facts/step-parts.ts";
import type { BlockStep } from "./block.ts";
import { isBlockStep } from "./block-inverse.ts";
import { describeShare } from "./host-describe.ts";
import { isShareStep } from "./host-inverse.ts";
import { describeOwner, isOwnerStep } from "./owner.ts";
import { describePci } from "./pci-describe.ts";
import { isPciStep } from "./pci-inverse.ts";
import type { FileStep, Step } from "./step.ts";
import type { StreamStep } from "./stream.ts";
import { isStreamStep } from "./stream-inverse.ts";
import { describeTree } from "./tree-describe.ts";
import { isTreeStep } from "./tree-inverse.ts";

const MIB = 1024 * 1024;
const NO_LABEL = "(no label)";
const NOT_CONFINED = "svirt's own context, not confined";

/** Describes a step in one line, with the label before and after. */
export function describe(step: Step): string {
  if (isBlockStep(step)) return describeBlock(step);
  if (isStreamStep(step)) return describeStream(step);
  if (isShareStep(step)) return describeShare(step);
  if (isTreeStep(step)) return describeTree(step);
  if (isPciStep(step)) return describePci(step);
  if (isOwnerStep(step)) return describeOwner(step);
  switch (step.do) {
    case "reserve":
      return `reserve ${describeClaim(step.claim)}`;
    case "release":
      return `release ${describeClaim(step.claim)}`;
    case "make-folder":
    case "remove-folder":
    case "make-link":
    case "set-label":
    case "restore-label":
    case "write-udev-rule":
    case "remove-udev-rule":
    case "lend-folder":
    case "return-folder":
    case "grant":
    case "revoke":
    case "expect-socket":
    case "remove-socket":
    case "link-socket":
    case "unlink-socket":
      return describeOfFiles(step);
    case "spawn-helper":
      return `start ${step.order.program} as uid ${step.order.uid} in ${step.order.context ?? NOT_CONFINED}`;
    case "spawn":
      return describeSpawn(step);
    case "kill":
      return `end the guest's process (SIGTERM, after ${step.graceMs / 1000} s SIGKILL)`;
    case "check-context":
      return `check that the guest's process runs in ${step.context}`;
    case "greet":
      return `wait for the monitor ${step.monitor}`;
    case "resume":
      return `let the vCPUs run (${step.commands.map(({ execute }) => execute).join(", ")})`;
    case "plug":
      return describePlug(step);
    case "unplug":
      return describeUnplug(step);
    case "set-medium":
      return describeMedium(step);
    case "set-link":
      return `set the link of ${step.device} ${step.up ? "up" : "down"}`;
    case "set-memlock":
      return `let QEMU lock memory: ${describeMemlock(step.from)} -> ${describeMemlock(step.to)}`;
  }
}

function describeOfFiles(step: FileStep): string {
  switch (step.do) {
    case "make-folder":
      return `make folder ${step.path} (mode ${step.mode.toString(8)}, uid ${step.uid}, ${step.label ?? "default label"}${describeLimit(step)})`;
    case "remove-folder":
      return `remove folder ${step.path}`;
    case "make-link":
      return `make the link ${step.path} to ${step.target}`;
    case "set-label":
      return `label ${step.file.path}: ${step.from ?? NO_LABEL} -> ${step.to}`;
    case "restore-label":
      return `label ${step.file.path}: ${step.from} -> ${step.to ?? NO_LABEL}`;
    case "write-udev-rule":
      return `have udev keep the label of ${step.file.path} (${step.path})`;
    case "remove-udev-rule":
      return `have udev label ${step.file.path} as it likes (remove ${step.path})`;
    case "lend-folder":
      return `give ${step.path} and what is in it to uid ${step.uid} (${step.label ?? "its label kept"})`;
    case "return-folder":
      return `give ${step.path} and what is in it back to root (${step.label ?? "its label kept"})`;
    case "grant":
      return `let uid ${step.uid} open ${step.file.path} (${step.access}) by name`;
    case "revoke":
      return `let uid ${step.uid} open ${step.file.path} no more`;
    case "expect-socket":
      return `leave ${step.path} free for a socket of the guest's (${step.label ?? "default label"})`;
    case "remove-socket":
      return `remove the socket ${step.path}`;
    case "link-socket":
      return `lead ${step.path} to the guest's socket ${step.target}`;
    case "unlink-socket":
      return `remove the link ${step.path}`;
  }
}

function describeLimit({ limit }: Extract<Step, { do: "make-folder" }>): string {
  return limit === undefined ? "" : `, at most ${limit.bytes / MIB} MiB in ${limit.inodes} files`;
}

function describeSpawn({ order }: Extract<Step, { do: "spawn" }>): string {
  const { context, peers = [], program, taps = [], uid } = order;
  const with_ = [...peers.map(describePeer), ...taps.map(describeTap)]
    .map((given) => `, with ${given}`)
    .join("");
  return `start ${program} as uid ${uid} in ${context ?? NOT_CONFINED}${with_}`;
}

function describePeer({ context, socket }: Pick<HandedPeer, "context" | "socket">): string {
  return `a connection to ${socket.path} (${context ?? "svirt's own context"})`;
}

function describePlug({ commands, files, peers = [] }: Extract<Step, { do: "plug" }>): string {
  const handed = [...files.map(({ file }) => file.path), ...peers.map(describePeer)];
  return `hand QEMU ${listWords(handed)} and tell it ${commands.map(describeCommand).join(", ")}`;
}

function describeBlock(step: BlockStep): string {
  switch (step.do) {
    case "make-image":
      return `make the image ${step.path}: ${describeImage(step)}`;
    case "remove-image":
      return `remove the image ${step.path}, if nothing was written into it`;
    case "change-label":
      return `label ${step.file.path}: ${describeUse(step.from)} -> ${describeUse(step.to)}`;
    case "set-access":
      return `let QEMU open ${listWords(step.files.map(({ access, file }) => `${file.path} (${access})`))}, and nothing of them otherwise`;
    case "start-job":
      return `tell QEMU ${step.command.execute}, as job ${step.job}`;
    case "cancel-job":
      return `give up the job ${step.job}`;
    case "adopt-chain":
      return step.chain.length === 0
        ? `forget what was begun for ${step.device}`
        : `know ${step.device} to stand on ${step.chain.join(", ")}`;
  }
}

function describeImage({ image }: Extract<Step, { do: "make-image" }>): string {
  const below = image.backing === undefined ? "" : `, on ${image.backing.path} (${image.backing.format})`;
  return `${image.format}, ${image.sizeBytes} bytes${below}`;
}

function describeUse({ label, sharing }: Claim): string {
  return `${label ?? "its own label"} (${sharing})`;
}

function describeStream(step: StreamStep): string {
  const pipe = "label" in step ? `a pipe of ${step.label}` : "a pipe";
  switch (step.do) {
    case "expect-file":
      return `leave ${step.path} free for a new file`;
    case "remove-file":
      return `remove ${step.path}`;
    case "keep-file":
      return `put ${step.from} in the place of ${step.to}`;
    case "pause":
      return step.wasRunning ? "stop the vCPUs" : "leave the vCPUs stopped";
    case "unpause":
      return "let the vCPUs go on";
    case "reset":
      return "reset the guest";
    case "save-memory":
      return `write the guest's state to ${step.to}, through ${pipe}`;
    case "cancel-save":
      return "tell QEMU to write no more";
    case "dump-memory":
      return `write the guest's memory to ${step.to} (${step.format}), through ${pipe}`;
    case "take-screenshot":
      return `write the guest's screen to ${step.to}, from ${step.buffer} (${step.label ?? NO_LABEL})`;
    case "drop-screen":
      return "tell QEMU to let go of the picture";
    case "load-memory":
      return `give QEMU the state in ${step.from.path}, through ${pipe}`;
  }
}

function describeUnplug({ commands, device, sets }: Extract<Step, { do: "unplug" }>): string {
  const asked = device === undefined ? [] : [`device_del ${device} (wait until the guest lets go of it)`];
  const told = [...asked, ...commands.map(describeCommand)].join(", ");
  return `tell QEMU ${told}, and take back ${listWords(sets.map((set) => `set ${set}`))}`;
}

function describeMedium({ device, force, from, to }: Extract<Step, { do: "set-medium" }>): string {
  return `change the medium of ${device}: ${from ?? "empty"} -> ${to ?? "empty"}${force ? " (by force)" : ""}`;
}

function describeMemlock(limit: Extract<Step, { do: "set-memlock" }>["to"]): string {
  return limit === "unlimited" ? limit : `${limit} KiB`;
}

function listWords(words: readonly string[]): string {
  return words.length === 0 ? "no file" : words.join(", ");
}

function describeCommand(command: MonitorCommand): string {
  return `${command.execute} ${nameOf(command) ?? ""}`.trimEnd();
}

/** Returns all steps, numbered, one per line. */
export function formatSteps(steps: readonly Step[]): string {
  return steps.map((step, at) => `${String(at + 1).padStart(3)}  ${describe(step)}\n`).join("");
}

function describeClaim(claim: Claim): string {
  const isToCome = claim.key === fileKey({ path: "", ...FILE_TO_COME });
  const key = isToCome ? "that the start makes" : claim.key;
  return `${claim.kind} ${key} (${claim.sharing})`;
}
