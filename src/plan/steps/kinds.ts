import * as v from "valibot";
import { accessSteps } from "./access.ts";
import { blockSteps } from "./block.ts";
import { claimSteps } from "./claim.ts";
import { deviceSteps } from "./device.ts";
import { folderSteps } from "./folder.ts";
import { formatMarkSteps } from "./format.ts";
import { shareSteps } from "./host.ts";
import type { Kinds } from "./kind.ts";
import { labelSteps } from "./label.ts";
import { mountSteps } from "./mount.ts";
import { networkSteps } from "./network.ts";
import { ownerSteps } from "./owner.ts";
import { pciSteps } from "./pci.ts";
import { poolSteps } from "./pool.ts";
import { processSteps } from "./process.ts";
import { socketSteps } from "./socket.ts";
import type { Step } from "./step.ts";
import { storedSteps } from "./stored.ts";
import { streamSteps } from "./stream.ts";
import { treeSteps } from "./tree.ts";
import { volumeSteps } from "./volume.ts";

// Rule: Each step has an inverse, or says that it has none.

/** Definitions of all kinds of steps, keyed by name. kind-of.ts loads them at first use. */
export const KINDS: Kinds<Step> = {
  ...accessSteps,
  ...blockSteps,
  ...claimSteps,
  ...deviceSteps,
  ...folderSteps,
  ...formatMarkSteps,
  ...labelSteps,
  ...mountSteps,
  ...networkSteps,
  ...ownerSteps,
  ...pciSteps,
  ...poolSteps,
  ...processSteps,
  ...shareSteps,
  ...socketSteps,
  ...storedSteps,
  ...streamSteps,
  ...treeSteps,
  ...volumeSteps,
};

/** Schema of a step, selected by its name. */
export const step = v.lazy((value): v.GenericSchema<unknown, Step> => {
  const name = typeof value === "object" && value !== null && "do" in value ? value.do : undefined;
  return isName(name) ? KINDS[name].schema : noStep;
});

function isName(name: unknown): name is Step["do"] {
  return typeof name === "string" && Object.hasOwn(KINDS, name);
}

/** Schema refusing any value but a step of a known kind. */
const noStep = v.custom<Step>(() => false, "Invalid step: its kind is unknown");
