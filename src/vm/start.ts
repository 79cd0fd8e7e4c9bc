import { formatDomain } from "../domain/document.ts";
import type { Domain } from "../domain/domain.ts";
import { SvirtError } from "../errors.ts";
import type { Incoming } from "../plan/file.ts";
import { guestPaths } from "../plan/paths.ts";
import { planStart, planWaking, type StartDecision } from "../plan/start-plan.ts";
import type { Step } from "../plan/step.ts";
import { completedGuest } from "../qemu/completed-guest.ts";
import type { Guest } from "../qemu/guest.ts";
import { UNWATCHED, type Watch } from "../run/run-plan.ts";
import { chooseUid } from "./choose-uid.ts";
import { clearAway } from "./clear-away.ts";
import { type CompletedDomain, completeBytes, completeDefinition } from "./completed-definition.ts";
import { decideFiles, decideSockets } from "./decide-files.ts";
import { decideGuestLabel } from "./decide-guest-label.ts";
import { decideTrees } from "./decide-trees.ts";
import type { Definition } from "./definitions.ts";
import { decideDisplays, withDisplays } from "./gather-displays.ts";
import { gatherFolders } from "./gather-folders.ts";
import { decideLimits } from "./gather-limits.ts";
import { decideTaps, withTapNames } from "./gather-taps.ts";
import { listGroupLinks } from "./gather-vfio.ts";
import { orderGuest } from "./guest-command.ts";
import { makeNvramFolder } from "./host-firmware.ts";
import { launchGuest } from "./launch-guest.ts";
import { withGuestLock, withRegistryLock } from "./locks.ts";
import { newRecord } from "./new-record.ts";
import type { Node } from "./node.ts";
import { removePendingRestart } from "./pending-restart.ts";
import { reasonOf } from "./reason.ts";
import { type GuestRecord, isRunning, readRecord, writeRecord } from "./record.ts";
import { refuseConflict } from "./refuse-conflict.ts";
import { refuseHeldByOthers } from "./refuse-held.ts";
import { refuseListeners } from "./refuse-listeners.ts";
import { refusePrivileged } from "./refuse-privileged.ts";
import { refuseShortMemory } from "./refuse-short-memory.ts";
import { refuseUnready } from "./refuse-unready.ts";
import { runPreparation } from "./run-start.ts";
import { type SeenFiles, seeFiles } from "./see-files.ts";
import { settleDomain } from "./settle-domain.ts";
import { settleNetworks } from "./settle-networks.ts";
import { takeBack } from "./take-back.ts";
import { decideTaken, withTakenDevices } from "./taken-devices.ts";
import { decideTpm, makeTpmHome } from "./tpm-emulator.ts";
import { overlayFolder, withNewOverlays } from "./transient-disks.ts";
import { decideVirtiofsd } from "./virtiofsd.ts";

/** A guest that runs now; `did` is false when it ran already. */
export interface Started {
  readonly did: boolean;
  readonly guest: GuestRecord;
}

/**
 * Starts a domain, confined as its XML and the node's policy say. Whatever goes wrong, all that was done is taken back
 * before this throws. Throws what the decisions and the host throw.
 */
export async function startDomain(node: Node, bytes: Uint8Array, watch: Watch = UNWATCHED): Promise<Started> {
  return await begin(node, await completeBytes(node, bytes), { watch });
}

/** The same for a domain that is defined, which is not read again where it was kept as it was read. */
export async function startDefinition(
  node: Node,
  definition: Definition,
  watch: Watch = UNWATCHED,
): Promise<Started> {
  return await begin(node, await completeDefinition(node, definition), { watch });
}

/** The same with a state that was saved: what fails before it is loaded is taken back. Throws "wrong-state" if it runs. */
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

/** The domain before what is not there was left out of it, and the XML that it was kept with. */
interface Written {
  readonly written: Domain;
  readonly completed: CompletedDomain;
}

async function begin(node: Node, completed: CompletedDomain, how: HowToStart): Promise<Started> {
  const domain = startable(node, completed);
  return await withGuestLock(node, domain.uuid, async () => {
    const before = readRecord(node, domain.uuid);
    if (before !== undefined && isRunning(node, before)) return { did: false, guest: before };
    if (before !== undefined) await clearAway(node, before, { reason: reasonOf(node, before) });
    const settled = settleDomain(node.host, domain);
    node.host.makeFolder({ path: node.paths.log, mode: 0o700 });
    makeTpmHome(node, settled);
    makeNvramFolder(node, settled);
    const prepared = await withNewOverlays(node, domain.uuid, () =>
      withTakenDevices(node, { domain: settled, watch: how.watch }, async (taken) => {
        const seen = seeFiles(node, settled, { makeMissing: true });
        return await prepare(node, { domain: settled, written: domain, completed, taken, ...seen, ...how });
      }),
    );
    const guest = await launchGuest(node, prepared, how.watch);
    if (guest.change === undefined) return { did: true, guest };
    // It has its state: nothing is taken back any more, and what is left anybody may finish.
    const { length } = guest.steps;
    const { finishChange } = await import("./finish-change.ts");
    await finishChange(node, guest, (moment, step, at) => how.watch(moment, step, length + at));
    return { did: true, guest: readRecord(node, guest.uuid) ?? guest };
  });
}

/** The domain with its networks looked up. Throws what refuses to start it before its files are looked at. */
function startable(node: Node, completed: CompletedDomain): Domain {
  const domain = settleNetworks(node, completed.domain);
  refuseUnready(domain);
  refuseListeners(domain);
  refusePrivileged(node, domain);
  return domain;
}

/** Every step that a start would take now. Changes nothing. */
export async function planDomainStart(
  node: Node,
  bytes: Uint8Array,
  incoming?: Incoming,
): Promise<readonly Step[]> {
  const completed = await completeBytes(node, bytes);
  const domain = startable(node, completed);
  const settled = settleDomain(node.host, domain);
  const taken = decideTaken(node, settled);
  const seen = seeFiles(node, settled, { makeMissing: false, taken: taken.names });
  const { after, steps } = decide(node, settled, { ...seen, written: domain, completed, ...given(incoming) });
  return [...taken.steps, ...steps, ...after];
}

/** Decides, writes the decision down, and carries out all that must not be decided twice at once. */
async function prepare(
  node: Node,
  start: HowToStart & SeenFiles & Written & { readonly domain: Domain; readonly taken: readonly Step[] },
): Promise<GuestRecord> {
  const { domain, taken, watch } = start;
  let record: GuestRecord | undefined;
  try {
    return await withRegistryLock(node, async () => {
      // Under the lock that records are written under: of two starts of one name the second finds the first.
      refuseConflict(node, domain);
      const decided = decide(node, domain, start);
      refuseHeldByOthers(node, decided.steps);
      const whole = { ...decided, steps: [...taken, ...decided.steps] };
      record = newRecord(node, domain, whole);
      writeRecord(node, record);
      removePendingRestart(node, domain.uuid);
      await runPreparation(node, record, { watch, done: taken.length });
      return record;
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
    overlays,
    used,
    written,
  }: SeenFiles & Written & { readonly incoming?: Incoming },
) {
  const label = decideGuestLabel(node, domain, written);
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

/** What a start makes of a domain besides is completed anew. */
function guestOf({ domain }: CompletedDomain, used: Domain): Guest {
  if (used === domain) return completedGuest(used);
  const { completeGuest }: typeof import("../qemu/complete-guest.ts") = require("../qemu/complete-guest.ts");
  return completeGuest(used);
}

/** Of a domain that is as it was completed it is there already. */
function shownXml({ domain, xml }: CompletedDomain, shown: Domain): string {
  return xml !== undefined && shown === domain ? xml : formatDomain(shown);
}
