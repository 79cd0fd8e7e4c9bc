import { labelOfRole } from "../../label/file-label.ts";
import type { LabelDecision } from "../../label/label-decision.ts";
import { labelModel } from "../../label/label-models.ts";
import { LABEL_ROLES } from "../../label/roles.ts";
import type { Shape } from "../../network/traffic-shape.ts";
import { limitFolder } from "../decide/folder-limit.ts";
import type { Display } from "../facts/display.ts";
import type { GrantedFile, Incoming, LabelledFile, PlannedSocket, SharedTree } from "../facts/file.ts";
import { fileKey } from "../facts/file-key.ts";
import { isGuestUser } from "../facts/guest-user.ts";
import type { HelperSpec, LaunchSpec } from "../facts/launch-spec.ts";
import type { GuestGroup, ThreadSettings } from "../facts/limits.ts";
import type { PassedSecret } from "../facts/passed-secret.ts";
import type { Claim, MonitorCommand } from "../facts/step-parts.ts";
import type { Floor, Macvtap, TapRules, TapSetup } from "../facts/tap.ts";
import type { GuestPaths } from "../paths.ts";
import type { Step, StepOf } from "../steps/step.ts";
import { type GroupLink, planGroupLinks } from "./group-link.ts";
import { planWaking } from "./resume.ts";
import { planSecrets } from "./secrets.ts";

/** Folder of svirt that belongs to the guest while it runs. It is created if missing. */
interface AssignedFolder {
  readonly path: string;
  /** Undefined: the folder keeps its label. */
  readonly label: string | undefined;
  readonly original: string | undefined;
}

/** Rules of a tap from before the start, or created for the guest. */
interface PlannedRules {
  readonly rules: TapRules;
  readonly isMade: boolean;
}

/** All decisions about a start. */
export interface StartDecision {
  readonly uid: number;
  readonly label: LabelDecision;
  readonly paths: GuestPaths;
  readonly files: readonly LabelledFile[];
  readonly sockets: readonly PlannedSocket[];
  /** Control group of the guest; undefined: the host has none. */
  readonly group?: GuestGroup | undefined;
  /** CPUs, schedulers and groups of its threads. */
  readonly settings?: readonly ThreadSettings[];
  /** Setups of the taps created by svirt. */
  readonly taps?: readonly TapSetup[];
  /** Macvtaps on devices of the host. */
  readonly macvtaps?: readonly Macvtap[];
  /** Rules for the frames of its taps. */
  readonly rules?: readonly PlannedRules[];
  /** Limits of the frames to it. */
  readonly shapes?: readonly { readonly tap: string; readonly shape: Shape }[];
  /** Guaranteed shares of the bandwidth of its networks. */
  readonly floors?: readonly { readonly tap: string; readonly floor: Floor }[];
  /** TCP addresses of its screens. */
  readonly displays?: readonly Display[];
  /** Files QEMU must open by path. Its user has access until it has opened them. */
  readonly grants: readonly GrantedFile[];
  /** Secrets of its disks. QEMU reads their values from files. */
  readonly secrets?: readonly PassedSecret[];
  /** Helper processes of the guest, and the folders of svirt that they use (`assigned`). */
  readonly helpers: readonly HelperSpec[];
  readonly assigned: readonly AssignedFolder[];
  readonly trees: readonly SharedTree[];
  /** VFIO devices, looked up by QEMU by their group. */
  readonly links: readonly GroupLink[];
  /** Folder of the overlays of transient disks; undefined: the guest has none. */
  readonly overlays: string | undefined;
  readonly order: LaunchSpec;
  /** Monitor commands before the vCPUs run, and the command to run them. */
  readonly commands: readonly MonitorCommand[];
  /** A device has a terminal. Only QEMU knows its name. */
  readonly hasTerminals: boolean;
  readonly incoming?: Incoming;
  /** Path of the saved state that the start discards. */
  readonly discards?: string;
}

/** Time for QEMU to open its files and to answer. */
const GREET_TIMEOUT_MS = 60_000;
/** Clients of a guest's display reach it through the folder by name; only root lists the folder. */
const FOLDER_MODE = 0o711;
const WORK_FOLDER_MODE = 0o700;

/**
 * Plans a start. Exclusive resources are claimed first, then folders are created and files labelled. QEMU
 * starts last, with its vCPUs stopped until its context is checked.
 */
export function planStart(decision: StartDecision): Step[] {
  const { files, grants, helpers, label, assigned, order, paths, sockets, uid } = decision;
  const workLabel = labelOfRole(label, LABEL_ROLES["guest-folder"]["read-write"].role);
  const secrets = planSecrets(decision.secrets ?? [], { uid, label: workLabel });
  return [
    ...planClaims(decision).map((claim): Step => ({ do: "reserve", claim })),
    { do: "make-folder", path: paths.folder, mode: FOLDER_MODE, uid: isGuestUser(uid) ? 0 : uid },
    {
      do: "make-folder",
      path: paths.workFolder,
      mode: WORK_FOLDER_MODE,
      uid,
      // Only root can mount.
      ...(isGuestUser(uid) ? { limit: limitFolder(order) } : {}),
      ...(workLabel === undefined ? {} : { label: workLabel }),
    },
    ...planGroupLinks(decision.links, { label: workLabel, workFolder: paths.workFolder }),
    // The overlays already exist, because they were inspected. The inverse also removes remains of a killed
    // start.
    ...(decision.overlays === undefined ? [] : [planOverlays(decision.overlays, uid)]),
    ...[...files, ...decision.trees].flatMap(planOwner),
    ...[...files, ...decision.trees].flatMap(planMark),
    ...files.flatMap((file) => planLabel(file)),
    ...assigned.map(
      ({ label: to, original, path }): Step => ({
        do: "assign-folder",
        path,
        uid,
        ...(to === undefined ? {} : { label: to }),
        ...(original === undefined ? {} : { original }),
      }),
    ),
    ...decision.trees.map((tree) => planTree(tree, uid)),
    ...grants.map(({ access, file }): Step => ({ do: "grant", file, uid, access })),
    ...sockets.map(planSocket),
    ...(decision.macvtaps ?? []).map((link): Step => ({ do: "make-macvtap", link })),
    ...planRules(decision, false),
    ...(decision.group === undefined ? [] : [{ do: "make-group", group: decision.group } as const]),
    ...helpers.map((helper): Step => ({ do: "spawn-helper", order: helper })),
    ...secrets.before,
    { do: "spawn", order },
    {
      do: "greet",
      monitor: paths.monitor,
      timeoutMs: GREET_TIMEOUT_MS,
      ...(decision.hasTerminals ? { hasTerminals: true } : {}),
    },
    ...secrets.after,
    ...grants.map(({ file }): Step => ({ do: "revoke", file, uid })),
    ...planCheck(label),
    ...planShares(decision),
    ...planWaking(decision),
  ];
}

/** Plans the check of the guest's label. */
function planCheck(label: LabelDecision): Step[] {
  const check = labelModel(label.model).verify(label);
  if (check === undefined) return [];
  switch (check.by) {
    case "process-context":
      return [{ do: "check-context", context: check.context }];
  }
}

/** Plans the guest's use of shared parts of the host: networks, ports, processors. */
function planShares(decision: StartDecision): Step[] {
  const { displays = [], floors = [], paths, shapes = [], taps = [], settings = [] } = decision;
  const { monitor } = paths;
  const tune: Step = { do: "tune-threads", monitor, settings: [...settings] };
  return [
    // A new tap is down until its setup.
    ...planRules(decision, true),
    ...shapes.map((shaped): Step => ({ do: "shape-tap", ...shaped })),
    ...floors.map(({ floor, tap }) => setFloor(tap, floor)),
    ...taps.map((setup): Step => ({ do: "set-up-tap", setup })),
    ...displays.map((display): Step => ({ do: "pass-display", monitor, display })),
    ...(settings.length === 0 ? [] : [tune]),
  ];
}

/** Returns the step to guarantee a tap's guest its share. */
export function setFloor(tap: string, floor: Floor): StepOf<"set-floor"> {
  return { do: "set-floor", tap, ...floor };
}

function planRules({ rules = [] }: StartDecision, ofNewTaps: boolean): Step[] {
  return rules.flatMap((planned): Step[] =>
    planned.isMade === ofNewTaps ? [{ do: "set-tap-rules", rules: planned.rules }] : [],
  );
}

/** Plans the claims and then the labels of files that a running guest gets. */
export function planFiles(files: readonly LabelledFile[]): Step[] {
  return [
    ...files.map((file): Step => ({ do: "reserve", claim: fileClaim(file) })),
    ...files.flatMap(planOwner),
    ...files.flatMap(planMark),
    ...files.flatMap((file) => planLabel(file)),
  ];
}

/** Returns the claim of a tap's name, which keeps other guests from using it. */
export function tapClaim(name: string): Claim {
  return { kind: "tap", key: name, sharing: "exclusive" };
}

function planClaims(decision: StartDecision): Claim[] {
  const { displays = [], files, label, order, sockets, trees, uid } = decision;
  return [
    ...(label.range === undefined
      ? []
      : [{ kind: "level", key: label.range, sharing: "exclusive" } as const]),
    ...(isGuestUser(uid) ? [{ kind: "uid", key: String(uid), sharing: "exclusive" } as const] : []),
    ...[...files, ...trees].map((file) => fileClaim(file)),
    ...sockets.map((socket): Claim => ({ kind: "file", key: socketKey(socket), sharing: "exclusive" })),
    ...(order.taps ?? []).map(({ name }) => tapClaim(name)),
    ...displays.map(({ port }): Claim => ({ kind: "port", key: String(port), sharing: "exclusive" })),
  ];
}

/**
 * Returns the key of a socket that does not exist yet: its folder and name, in hexadecimal because it may
 * have any bytes.
 */
function socketKey({ folder, path }: PlannedSocket): string {
  const name = new TextEncoder().encode(path.slice(path.lastIndexOf("/") + 1));
  const digits = Array.from(name, (byte) => byte.toString(16).padStart(2, "0"));
  return `socket-${folder.device}-${folder.inode}-${digits.join("")}`;
}

function fileClaim(file: Omit<LabelledFile, "udevRule">): Claim {
  const { id, original, ownership, sharing, to } = file;
  return {
    kind: "file",
    key: fileKey(id),
    sharing,
    ...(to === undefined ? {} : { label: to }),
    ...(original === undefined ? {} : { original }),
    ...(ownership === undefined ? {} : { ownership }),
  };
}

function planOwner({ id, ownership }: Pick<LabelledFile, "id" | "ownership">): Step[] {
  return ownership === undefined ? [] : [{ do: "remember-owner", file: id, ownership }];
}

/** Plans the mark of a file's format, which its content cannot tell once the guest writes it. */
export function planMark({ id, mark }: Pick<LabelledFile, "id" | "mark">): Step[] {
  return mark === undefined ? [] : [{ do: "mark-format", file: id, ...mark }];
}

function planOverlays(path: string, uid: number): Step {
  return { do: "make-folder", path, mode: WORK_FOLDER_MODE, uid: isGuestUser(uid) ? 0 : uid };
}

function planSocket({ folder, label, path, target }: PlannedSocket): Step {
  const labelled = label === undefined ? {} : { label };
  if (target !== undefined) return { do: "link-socket", folder, path, target, ...labelled };
  return { do: "expect-socket", path, ...labelled };
}

function planTree(tree: SharedTree, uid: number): Step {
  const { access, id, original, to } = tree;
  return {
    do: "share-tree",
    folder: id,
    claim: fileClaim(tree),
    uid,
    access,
    ...(to === undefined ? {} : { to }),
    ...(original === undefined ? {} : { from: original }),
  };
}

function planLabel(file: LabelledFile): Step[] {
  const { id, original, to, udevRule } = file;
  if (to === undefined) return [];
  const from = original === undefined ? {} : { from: original };
  return [
    { do: "set-label", file: id, claim: fileClaim(file), to, ...from },
    // The rule is removed before the label is restored: udevd must not label the node for the guest again.
    ...(udevRule === undefined ? [] : [{ do: "write-udev-rule", ...udevRule, file: id, label: to } as const]),
  ];
}
