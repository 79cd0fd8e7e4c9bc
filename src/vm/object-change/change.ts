import { errorsOf } from "../../errors.ts";
import type { ObjectChange } from "../../plan/change/object-change.ts";
import type { ObjectKind } from "../../plan/change/object-kinds.ts";
import { type Paths, pciLock, registryLock } from "../../plan/paths.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { LuksHeaders } from "../../run/steps/block/make-image.ts";
import { PCI_DEVICES } from "../../run/steps/pci.ts";
import type { Instance } from "../../state/instance.ts";
import { withPciLock, withRegistryLock } from "../../state/locks.ts";
import { listParts } from "../guest/changing-device.ts";
import { refuseOthers } from "../guest/refuse-others.ts";

/** Steps that a command takes, and its result once they are carried out. */
export interface Planned<Result> {
  /** Undefined if nothing is to be done. */
  readonly change: ObjectChange | undefined;
  readonly result: Result;
  /** Headers of LUKS of the images that it makes, by their paths. No record has them. */
  readonly headers?: LuksHeaders | undefined;
}

/**
 * Change of an object that a command asks for. carryOut() does it, and planOnly() prints its steps: a
 * command, a procedure of the protocol and `svirt plan` share it.
 */
export interface Change<Result> {
  readonly kind: ObjectKind;
  /**
   * Object whose interrupted change is settled first; undefined: those of all objects of the kind, which one
   * lock holds.
   */
  readonly key?: string;
  /** Does the work while no other call changes the object; undefined: as HOLDS says. */
  hold?<Value>(instance: Instance, work: () => Promise<Value>): Promise<Value>;
  /**
   * Facts of all guests decide the steps: the registry's lock is held meanwhile, but not while the steps run,
   * which may take long.
   */
  readonly plansUnder?: "registry";
  /** Value of a secret for the steps. No step, record or plan has it. Zero after the change. */
  readonly secret?: Uint8Array;
  /** Decides the steps, and changes nothing. The caller holds the object. */
  plan(instance: Instance): Promise<Planned<Result>> | Planned<Result>;
  /**
   * Called before each step, and without a step after the last: checks the result of the earlier steps. They
   * are undone if it throws.
   */
  check?(instance: Instance, next: Step | undefined): void;
  /** Renews data that only make later calls faster, after the change. */
  refresh?(instance: Instance): void;
}

/** Locks by which no other call changes an object of the kind, and what a recovery heeds. */
interface Hold {
  hold<Value>(instance: Instance, key: string, work: () => Promise<Value>): Promise<Value>;
  /** Returns the path of the lock that a call holds while it changes the object. */
  lockOf(paths: Paths, key: string): string;
  /** The kernel may keep the lock's holder waiting, so a recovery does not wait for it. */
  readonly mayHang: boolean;
  /** Reports whether an interrupted change counts as done, since a guest has begun to use its result. */
  isInUse(instance: Instance, key: string): boolean;
}

/** Hold of objects whose changes wait for no other program. */
const BY_REGISTRY: Hold = {
  hold: async (instance, _key, work) => await withRegistryLock(instance, work),
  lockOf: registryLock,
  mayHang: false,
  isInUse: () => false,
};

/** Locks of each kind of object. A kind without an entry does not compile. */
export const HOLDS: Readonly<Record<ObjectKind, Hold>> = {
  domain: BY_REGISTRY,
  network: BY_REGISTRY,
  filter: BY_REGISTRY,
  pool: BY_REGISTRY,
  secret: BY_REGISTRY,
  "node-device": {
    hold: async (instance, key, work) => await withPciLock(instance, key, work),
    lockOf: pciLock,
    mayHang: true,
    isInUse: (instance, key) => hasGuest(instance, key),
  },
};

/** Reports whether a guest has a PCI device, or a part of it. */
function hasGuest(instance: Instance, address: string): boolean {
  const parts = listParts(instance.host, `${PCI_DEVICES}/${address}`);
  return parts.some((part) => errorsOf(() => refuseOthers(instance, part, "")).length > 0);
}
