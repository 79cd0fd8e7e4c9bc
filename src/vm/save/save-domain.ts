import { formatDomain, parseDomainText } from "../../domain/document.ts";
import { SvirtError } from "../../errors.ts";
import { planSave, type TargetFile } from "../../plan/actions/stream.ts";
import { decideMachine } from "../../qemu/model/machine.ts";
import type { Progress } from "../../run/actor.ts";
import type { Watch } from "../../run/steps/run-plan.ts";
import type { Node } from "../../state/instance.ts";
import { managedTarget } from "../../state/managed-save.ts";
import type { GuestRecord } from "../../state/record.ts";
import { type AskedChange, changeGuest } from "../change/change-guest.ts";
import { findRunning } from "../guest/find-domain.ts";
import { withBootQueues } from "./boot-queues.ts";
import { lookAtGuest, refuseJobs, type SeenGuest } from "./look-at-guest.ts";
import { decideTarget } from "./target-file.ts";

/** How a guest is saved, besides where. */
export interface SaveWish {
  /** Whether it is to run, or to stay paused, once it is restored; undefined: as it is now. */
  readonly wakes: boolean | undefined;
  readonly watch?: Watch;
  readonly onProgress?: Progress;
}

/**
 * Writes a guest's state to a file and ends it. What fails is taken back: the guest goes on, and the file that was there
 * is as it was. Throws "wrong-state" when it is off, and what the file and QEMU say.
 */
export async function saveDomain(
  node: Node,
  key: string,
  wish: SaveWish & { readonly path: string },
): Promise<{ name: string }> {
  const { guest, name } = findRunning(node, key);
  await save(node, guest, { ...wish, targetOf: ({ uuid }) => decideTarget(node, wish.path, uuid) });
  return { name };
}

/** The same where the next start looks for it. Throws "wrong-state" in libvirt's words for one that is not defined. */
export async function managedSaveDomain(node: Node, key: string, wish: SaveWish): Promise<{ name: string }> {
  const { definition, guest, name } = findRunning(node, key);
  if (definition === undefined) {
    throw new SvirtError("Requested operation is not valid: cannot do managed save for transient domain", {
      kind: "wrong-state",
      remedy: `Save it to a file: svirt save ${name} FILE`,
    });
  }
  await save(node, guest, { ...wish, targetOf: (now) => managedTarget(node, now) });
  return { name };
}

type TargetOf = (guest: GuestRecord) => TargetFile;

async function save(
  node: Node,
  guest: GuestRecord,
  { targetOf, wakes, ...audience }: SaveWish & { readonly targetOf: TargetOf },
): Promise<void> {
  const asked = {
    what: "save",
    look: async (now: GuestRecord) => askedSave(await lookAtGuest(node, now), { targetOf, wakes }),
  };
  await changeGuest(node, guest.uuid, { asked, ...audience });
}

function askedSave(
  seen: SeenGuest,
  { targetOf, wakes }: { readonly targetOf: TargetOf; readonly wakes: boolean | undefined },
): AskedChange {
  return {
    what: "save",
    decide(guest) {
      refuseJobs(guest);
      refuseTransient(guest);
      const head = { xml: savedXml(guest, seen.machine), wasRunning: wakes ?? seen.isRunning };
      return { ...planSave(targetOf(guest), seen, head), xml: guest.xml, ends: "saved" };
    },
  };
}

/** What the guest has written to such a disk goes when it ends, and its memory is of no use without. */
function refuseTransient({ name, xml }: GuestRecord): void {
  const found = parseDomainText(xml).devices.disks.find(({ transient }) => transient !== undefined);
  if (found === undefined) return;
  throw new SvirtError(
    `Requested operation is not valid: cannot save domain '${name}' with transient disk '${found.target.dev}'`,
    { kind: "wrong-state", remedy: `End it: svirt shutdown ${name}` },
  );
}

/** `pc` is another board in the next QEMU, which would not take this one's state: so the board is named with its version. */
function savedXml(guest: GuestRecord, machine: string | undefined): string {
  const domain = withBootQueues(parseDomainText(guest.xml), guest, machine);
  const { type } = domain.os;
  if (machine === undefined || /\d/.test(type.machine ?? "")) return formatDomain(domain);
  const named = { ...domain, os: { ...domain.os, type: { ...type, machine } } };
  // QEMU, which the guest may have taken over, does not choose another board.
  const isSameBoard = decideMachine(named).chipset === decideMachine(domain).chipset;
  return formatDomain(isSameBoard ? named : domain);
}
