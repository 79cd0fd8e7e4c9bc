import { formatDomain } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import { decideFiles, decideSockets } from "../../labelling/file-labels.ts";
import { decideGuestLabel } from "../../labelling/guest-label.ts";
import { offerLevel, withLevel } from "../../labelling/guest-level.ts";
import { listUnseen, withLooks } from "../../labelling/look-ahead.ts";
import { decideTrees } from "../../labelling/tree-labels.ts";
import { planStart, planWaking, type StartDecision } from "../../plan/actions/start.ts";
import type { Incoming } from "../../plan/facts/file.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { Step } from "../../plan/steps/step.ts";
import { completedGuest } from "../../qemu/completed-guest.ts";
import type { Guest } from "../../qemu/model/guest.ts";
import type { LevelOffer } from "../../registry/level-allocator.ts";
import {
  type CompletedDomain,
  completeBytes,
  completeDefinition,
} from "../../resolve/completed-definition.ts";
import { gatherFolders } from "../../resolve/files/shared-folders.ts";
import { listGroupLinks } from "../../resolve/files/vfio.ts";
import { decideDisplays, withDisplays } from "../../resolve/host/displays.ts";
import { decideLimits } from "../../resolve/host/limits.ts";
import { refuseShortMemory } from "../../resolve/host/refuse-short-memory.ts";
import { decideTaps, withTapNames } from "../../resolve/host/taps.ts";
import { decideTpm, makeTpmHome } from "../../resolve/host/tpm-emulator.ts";
import { decideVirtiofsd } from "../../resolve/host/virtiofsd.ts";
import { makeNvramFolder } from "../../resolve/host-firmware.ts";
import { settleDomain } from "../../resolve/late-bound.ts";
import { type SeenFiles, seeFiles } from "../../resolve/resolve-domain.ts";
import { overlayFolder, withNewOverlays } from "../../resolve/transient-disks.ts";
import { UNWATCHED, type Watch } from "../../run/steps/run-plan.ts";
import { refuseTakenPaths } from "../../run/steps/socket.ts";
import { chooseUid } from "../../state/choose-uid.ts";
import type { Definition } from "../../state/definitions.ts";
import type { Node } from "../../state/instance.ts";
import { withGuestLock } from "../../state/locks.ts";
import { newRecord } from "../../state/new-record.ts";
import { removePendingRestart } from "../../state/pending-restart.ts";
import { reasonOf } from "../../state/reason.ts";
import { type GuestRecord, isRunning, readRecord, writeRecord } from "../../state/record.ts";
import { clearAway } from "../end/end-guest.ts";
import { takeBack } from "../end/undo-start.ts";
import { refuseConflict } from "../guest/refuse-conflict.ts";
import { decideTaken, withTakenDevices } from "./detach-from-host.ts";
import { orderGuest } from "./guest-command.ts";
import { launchGuest } from "./launch-guest.ts";
import { runPreparation } from "./run-preparation.ts";
import { startable } from "./startable.ts";

/** A guest that runs now; `did` is false if it ran already. */
export interface Started {
  readonly did: boolean;
  readonly guest: GuestRecord;
}

/**
 * Starts a domain, confined as its XML and the host's policy require. On any failure all completed steps are undone before
 * this throws. Throws the errors of the decisions and of the host.
 */
export async function startDomain(node: Node, bytes: Uint8Array, watch: Watch = UNWATCHED): Promise<Started> {
  return await begin(node, await completeBytes(node, bytes), { watch });
}

/** Starts a defined domain, as startDomain() does. If its completed form is stored, the XML is not parsed again. */
export async function startDefinition(
  node: Node,
  definition: Definition,
  watch: Watch = UNWATCHED,
): Promise<Started> {
  return await begin(node, await completeDefinition(node, definition), { watch });
}

/** Starts a domain with a saved state. A failure before the state is loaded is undone. Throws "wrong-state" if it runs. */
export async function startFromState(
  node: Node,
  bytes: Uint8Array,
  how: { readonly incoming: Incoming; readonly watch?: Watch },
): Promise<Started> {
  const completed = await completeBytes(node, bytes);
  const started = await begin(node, completed, { ...how, watch: how.watch ?? UNWATCHED });
  if (started.did) return started;
  const { name } = started.guest;
  throw new SvirtError(`Requested operation is not valid: domain '${name}' is already active`, {
    kind: "wrong-state",
    remedy: `End it first: svirt destroy ${name}`,
  });
}

interface HowToStart {
  readonly watch: Watch;
  readonly incoming?: Incoming;
}

/**
 * `written`: the domain before missing optional devices were removed. `completed`: its completed form, with the stored XML.
 * `offer`: the ranges that the guest may get.
 */
interface Written {
  readonly written: Domain;
  readonly completed: CompletedDomain;
  readonly offer: LevelOffer;
}

async function begin(node: Node, completed: CompletedDomain, how: HowToStart): Promise<Started> {
  const domain = startable(node, completed.domain);
  return await withGuestLock(node, domain.uuid, async () => {
    const before = readRecord(node, domain.uuid);
    if (before !== undefined && isRunning(node, before)) return { did: false, guest: before };
    if (before !== undefined) await clearAway(node, before, { reason: reasonOf(node, before) });
    const settled = settleDomain(node.host, domain);
    node.host.makeFolder({ path: node.paths.log, mode: 0o700 });
    makeTpmHome(node, settled);
    makeNvramFolder(node, settled);
    const guest = await withLevel(node, settled, async (offer) => {
      const prepared = await withNewOverlays(node, domain.uuid, () =>
        withTakenDevices(node, { domain: settled, offer, watch: how.watch }, async (taken) => {
          const seen = seeFiles(node, settled, { makeMissing: true });
          const start = { domain: settled, written: domain, completed, offer, taken };
          return await prepare(node, { ...start, ...seen, ...how });
        }),
      );
      return await launchGuest(node, prepared, how.watch);
    });
    if (guest.change === undefined) return { did: true, guest };
    // The guest has its state: no step is undone any more, and any later call may finish the rest.
    const { length } = guest.steps;
    const { finishChange } = await import("../change/finish-change.ts");
    await finishChange(node, guest, (moment, step, at) => how.watch(moment, step, length + at));
    return { did: true, guest: readRecord(node, guest.uuid) ?? guest };
  });
}

/** Returns every step that a start would take now. Changes nothing. */
export async function planDomainStart(
  node: Node,
  bytes: Uint8Array,
  incoming?: Incoming,
): Promise<readonly Step[]> {
  const completed = await completeBytes(node, bytes);
  const domain = startable(node, completed.domain);
  const settled = settleDomain(node.host, domain);
  const taken = decideTaken(node, settled);
  const seen = seeFiles(node, settled, { makeMissing: false, taken: taken.names });
  const offer = await offerLevel(node, settled, { purpose: "plan", refused: new Set() });
  const start = { ...seen, written: domain, completed, offer, ...given(incoming) };
  const { after, steps } = decide(node, settled, start);
  return [...taken.steps, ...steps, ...after];
}

/** Decides the start, records it, and runs all steps that must not be decided twice at once. */
async function prepare(
  node: Node,
  start: HowToStart & SeenFiles & Written & { readonly domain: Domain; readonly taken: readonly Step[] },
): Promise<GuestRecord> {
  const { domain, taken, watch } = start;
  let record: GuestRecord | undefined;
  try {
    return await withLooks(node, undefined, async (looks) => {
      // Checked under the lock under which records are written: of two starts of one name, the second sees the first.
      refuseConflict(node, domain);
      const decided = decide(node, domain, start);
      refuseTakenPaths(node.host, decided.steps);
      const unseen = listUnseen(node, decided.steps, { looks });
      if (unseen.length > 0) return { unseen };
      const whole = { ...decided, steps: [...taken, ...decided.steps] };
      record = newRecord(node, domain, whole);
      writeRecord(node, record);
      removePendingRestart(node, domain.uuid);
      await runPreparation(node, record, { watch, done: taken.length });
      return { result: record };
    });
  } catch (error) {
    if (record !== undefined) await takeBack(node, record, error);
    throw error;
  }
}

function given(incoming: Incoming | undefined): { readonly incoming?: Incoming } {
  return incoming === undefined ? {} : { incoming };
}

function decide(
  node: Node,
  domain: Domain,
  {
    completed,
    gathered,
    incoming,
    offer,
    overlays,
    used,
    written,
  }: SeenFiles & Written & { readonly incoming?: Incoming },
) {
  const label = decideGuestLabel(node, domain, { offer, written });
  const uid = chooseUid(node, domain.uuid);
  const files = decideFiles(node, label, { uuid: domain.uuid, uid, files: gathered.files });
  const folders = gatherFolders(node.host, domain);
  const trees = decideTrees(node, label, {
    uuid: domain.uuid,
    uid,
    folders,
    files: files.map(({ id }) => id),
  });
  const paths = guestPaths(node.paths, domain.uuid);
  const sockets = decideSockets(label, gathered.sockets, paths.workFolder);
  const planned = decideTaps(node, domain, { label: label.label, uid });
  const displays = decideDisplays(node, domain);
  const isIncoming = incoming !== undefined;
  const limits = decideLimits(node, domain);
  const groupPath = limits.group?.path;
  const facts = { gathered, label, sockets, taps: planned, uid, isIncoming, groupPath };
  const { commands, grants, hasTerminals, order } = orderGuest(node, guestOf(completed, used), facts);
  const taps = planned.flatMap(({ setup }) => setup ?? []);
  const macvtaps = planned.flatMap(({ link }) => link ?? []);
  refuseShortMemory(node.host, order.words);
  const { helpers, lent } = decideTpm(node, domain, { label, uid });
  const servers = decideVirtiofsd(node, domain, { label, uid, folders });
  const base = {
    uid,
    label,
    paths,
    files,
    sockets,
    taps,
    macvtaps,
    displays,
    ...limits,
    grants,
    trees,
    links: listGroupLinks(node.host, domain),
    overlays: overlays.size === 0 ? undefined : overlayFolder(node, domain.uuid),
    lent,
    helpers: [...helpers, ...servers],
    order,
    commands,
    hasTerminals,
  };
  const decision: StartDecision = { ...base, ...given(incoming) };
  return {
    label,
    uid,
    xml: shownXml(completed, withDisplays(withTapNames(domain, planned), displays)),
    steps: planStart(decision),
    after: planWaking(decision),
    isIncoming,
  };
}

/** Re-applies the defaults if the start changed the domain. */
function guestOf({ domain }: CompletedDomain, used: Domain): Guest {
  if (used === domain) return completedGuest(used);
  const {
    completeGuest,
  }: typeof import("../../qemu/complete-guest.ts") = require("../../qemu/complete-guest.ts");
  return completeGuest(used);
}

/** Reuses the stored XML if the start did not change the domain. */
function shownXml({ domain, xml }: CompletedDomain, shown: Domain): string {
  return xml !== undefined && shown === domain ? xml : formatDomain(shown);
}
