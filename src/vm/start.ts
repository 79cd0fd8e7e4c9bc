import { formatDomain } from "../domain/document.ts";
import type { Domain } from "../domain/domain.ts";
import { asSvirtError, SvirtError } from "../errors.ts";
import type { ProcessFacts } from "../host.ts";
import { guestPaths } from "../plan/paths.ts";
import { planStart } from "../plan/start-plan.ts";
import type { Step } from "../plan/step.ts";
import { listGuestProcesses } from "../run/kill-guest.ts";
import { runPlan, UNWATCHED, type Watch } from "../run/run-plan.ts";
import { chooseUid } from "./choose-uid.ts";
import { actorFor, clearAway, reasonOf, withGuestLock, withRegistryLock } from "./clear-away.ts";
import { completeDomain } from "./complete-domain.ts";
import { decideFiles, decideSockets } from "./decide-files.ts";
import { decideGuestLabel } from "./decide-guest-label.ts";
import { refuseConflict } from "./define.ts";
import { type GatheredFiles, gatherFiles } from "./gather-files.ts";
import { decideTaps, withTapNames } from "./gather-taps.ts";
import { orderGuest, startCommands } from "./guest-command.ts";
import { takeNextId } from "./next-id.ts";
import type { Node } from "./node.ts";
import { removePendingRestart } from "./pending-restart.ts";
import { type GuestRecord, isRunning, readRecord, writeRecord } from "./record.ts";
import { refuseListeners } from "./refuse-listeners.ts";
import { refuseUnready } from "./refuse-unready.ts";

const LOG_LINES = 3;

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
  const domain = completeDomain(node, bytes);
  refuseOrdinaryUser(node);
  refuseUnready(domain);
  refuseListeners(domain);
  return await withGuestLock(node, domain.uuid, async () => {
    const before = readRecord(node, domain.uuid);
    if (before !== undefined && isRunning(node, before)) return { did: false, guest: before };
    if (before !== undefined) await clearAway(node, before, { reason: reasonOf(node, before) });
    const gathered = gatherFiles(node.host, domain, { makeMissing: true });
    node.host.makeFolder({ path: node.paths.log, mode: 0o700 });
    const guest = await prepare(node, { domain, gathered, watch });
    return { did: true, guest: await launch(node, guest, watch) };
  });
}

/** Every step that a start would take now. Changes nothing. */
export async function planDomainStart(node: Node, bytes: Uint8Array): Promise<readonly Step[]> {
  const domain = completeDomain(node, bytes);
  refuseUnready(domain);
  refuseListeners(domain);
  const gathered = gatherFiles(node.host, domain, { makeMissing: false });
  return decide(node, domain, gathered).steps;
}

/** Decides, writes the decision down, and carries out all that must not be decided twice at once. */
async function prepare(
  node: Node,
  start: { readonly domain: Domain; readonly gathered: GatheredFiles; readonly watch: Watch },
): Promise<GuestRecord> {
  const { domain, gathered, watch } = start;
  let record: GuestRecord | undefined;
  try {
    return await withRegistryLock(node, async () => {
      // Under the lock that records are written under: of two starts of one name the second finds the first.
      refuseConflict(node, domain);
      record = newRecord(node, domain, decide(node, domain, gathered));
      writeRecord(node, record);
      removePendingRestart(node, domain.uuid);
      await runPlan(actorFor(node, record), record.steps.filter(isPreparation), watch);
      return record;
    });
  } catch (error) {
    if (record !== undefined) await takeBack(node, record, error);
    throw error;
  }
}

async function launch(node: Node, guest: GuestRecord, watch: Watch): Promise<GuestRecord> {
  const before = guest.steps.filter(isPreparation).length;
  try {
    const steps = guest.steps.slice(before);
    await runPlan(actorFor(node, guest), steps, (moment, step, at) => watch(moment, step, before + at));
    const process = findGuestProcess(node, guest);
    if (process === undefined)
      throw new SvirtError("Cannot start the guest: it ended at once", { kind: "failed" });
    const { pid, startTicks } = process;
    const running: GuestRecord = { ...guest, state: "running", process: { pid, startTicks } };
    writeRecord(node, running);
    return running;
  } catch (error) {
    const withLog = addLog(node, guest, error);
    await takeBack(node, guest, withLog);
    throw withLog;
  }
}

/** QEMU: by the number that its reaper wrote down if the guest's user has it, else by the user alone. */
function findGuestProcess({ host, paths }: Node, guest: GuestRecord): ProcessFacts | undefined {
  const told = host.getProcess(Number(host.readText(guestPaths(paths, guest.uuid).pid) ?? "0"));
  return told?.uid === guest.uid ? told : listGuestProcesses(host, guest)[0];
}

function decide(node: Node, domain: Domain, gathered: GatheredFiles) {
  const label = decideGuestLabel(node, domain);
  const uid = chooseUid(node, domain.uuid);
  const files = decideFiles(node, label, { uuid: domain.uuid, files: gathered.files });
  const sockets = decideSockets(label, gathered.sockets);
  const planned = decideTaps(node, domain);
  const order = orderGuest(node, domain, { gathered, label, sockets, taps: planned, uid });
  const paths = guestPaths(node.paths, domain.uuid);
  const taps = planned.flatMap(({ setup }) => setup ?? []);
  return {
    label,
    uid,
    xml: formatDomain(withTapNames(domain, planned)),
    steps: planStart({ uid, label, paths, files, sockets, taps, order, commands: startCommands(domain) }),
  };
}

function newRecord(node: Node, domain: Domain, decided: ReturnType<typeof decide>): GuestRecord {
  const { baseLabel, imageLabel, label, relabel, type } = decided.label;
  return {
    format: 1,
    uuid: domain.uuid,
    name: domain.name,
    id: takeNextId(node),
    uid: decided.uid,
    bootId: node.host.getBootId(),
    state: "starting",
    startedMs: node.host.nowMs(),
    xml: decided.xml,
    label: {
      type,
      relabel,
      ...(label === undefined ? {} : { label }),
      ...(imageLabel === undefined ? {} : { imageLabel }),
      ...(baseLabel === undefined ? {} : { baseLabel }),
    },
    enforcing: node.host.getSelinux().mode === "enforcing",
    steps: decided.steps,
    onPoweroff: domain.onPoweroff === "restart" ? "restart" : "destroy",
    onCrash: domain.onCrash === "restart" ? "restart" : "destroy",
  };
}

/** What is done under the registry's lock: all before QEMU starts. */
function isPreparation(step: Step): boolean {
  return ["reserve", "make-folder", "set-label", "write-udev-rule", "expect-socket"].includes(step.do);
}

/** Undoes a start that failed. An error on the way back joins the first one and does not hide it. */
async function takeBack(node: Node, guest: GuestRecord, first: unknown): Promise<void> {
  try {
    await clearAway(node, guest, { reason: "failed" });
  } catch (error) {
    const { kind, message, remedy } = asSvirtError(first);
    const both = `${message}; and taking the start back failed: ${asSvirtError(error).message}`;
    throw new SvirtError(both, { kind, cause: error, ...(remedy === undefined ? {} : { remedy }) });
  }
}

/** QEMU's own words say best why it ended. */
function addLog(node: Node, guest: GuestRecord, error: unknown): SvirtError {
  const { kind, message, remedy } = asSvirtError(error);
  const path = `${node.paths.log}/${guest.name}.log`;
  const said = (node.host.readText(path) ?? "").trimEnd().split("\n").slice(-LOG_LINES).join(" | ");
  if (guest.enforcing && guest.label.label === undefined && said.includes("Permission denied")) {
    return new SvirtError(
      `Cannot start the guest: the policy does not let svirt run QEMU unconfined; ${said}`,
      {
        kind: "denied",
        cause: error,
        remedy: "Remove <seclabel type='none'/> from its XML: it then gets a label of its own.",
      },
    );
  }
  const words = said === "" ? message : `${message}; the end of its log: ${said}`;
  return new SvirtError(words, { kind, cause: error, remedy: remedy ?? `See ${path}` });
}

function refuseOrdinaryUser(node: Node): void {
  if (node.host.getUid() === 0) return;
  throw new SvirtError(
    "Cannot start the guest: only root can label its files and give it a user of its own",
    {
      kind: "denied",
      remedy: "Run svirt as root.",
    },
  );
}
