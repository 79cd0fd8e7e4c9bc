import * as v from "valibot";
import { parseDomainText } from "../../domain/document.ts";
import { SvirtError } from "../../errors.ts";
import type { DataStream } from "../../host/channels.ts";
import { planScreenshot, type TargetFile } from "../../plan/actions/stream.ts";
import { guestPaths } from "../../plan/paths.ts";
import { completeGuest } from "../../qemu/complete-guest.ts";
import type { Instance } from "../../state/instance.ts";
import { partPath } from "../../state/part-path.ts";
import type { GuestRecord } from "../../state/record.ts";
import { type ChangeRequest, changeGuest } from "../change/change-guest.ts";
import { findRunning } from "../guest/find-domain.ts";
import { withMonitor } from "../guest/guest-monitor.ts";
import { addedLabelOf } from "../hotplug/new-files.ts";
import { decideTarget } from "./target-file.ts";

/** Format of a picture: PNG if this QEMU supports it, else PPM. */
export type PictureType = "image/png" | "image/x-portable-pixmap";

/** Picture whose file needs a name: the domain, the format, and the time since 1970. */
export interface Picture {
  readonly name: string;
  readonly type: PictureType;
  readonly nowMs: number;
}

const schema = v.array(v.looseObject({ values: v.optional(v.array(v.string())) }));

/** Writes a guest's screen to a file. Throws "wrong-state" if it is off, "failed" with QEMU's message. */
export async function takeScreenshot(
  instance: Instance,
  key: string,
  options: {
    /** Returns the file's path, once the format is known. */
    pathFor(picture: Picture): string;
    /** Number of an output of the first card. */
    readonly screen: number;
  },
): Promise<{ path: string; type: PictureType }> {
  const { guest, name } = findRunning(instance, key);
  let path = "";
  const type = await drawScreen(instance, guest, {
    screen: options.screen,
    target(drawn, uuid) {
      path = options.pathFor({ name, type: drawn, nowMs: instance.host.nowMs() });
      return decideTarget(instance, path, uuid);
    },
  });
  return { path, type };
}

/** Opens a picture of a guest's screen for reading. Throws as takeScreenshot(). */
export async function openScreenshot(
  instance: Instance,
  key: string,
  screen: number,
): Promise<{ readonly stream: DataStream; readonly type: PictureType }> {
  const { host, paths } = instance;
  const { guest } = findRunning(instance, key);
  // svirt's own folder of the guest, which is removed with it, also if svirt is killed now.
  const path = `${guestPaths(paths, guest.uuid).folder}/picture-${host.makeUuid()}`;
  const type = await drawScreen(instance, guest, {
    screen,
    target: (_, uuid) => ({ part: partPath(path, uuid), path, label: undefined, before: undefined }),
  });
  try {
    const facts = host.inspectFile(path);
    if (facts === undefined) throw goneWithGuest(guest.name);
    return { stream: host.openSource(facts.id, { offset: 0, mostBytes: undefined, isSparse: false }), type };
  } finally {
    host.removeFile(path);
  }
}

function goneWithGuest(name: string): SvirtError {
  return new SvirtError(`Requested operation is not valid: domain '${name}' has ended`, {
    kind: "wrong-state",
    remedy: `Start it again: svirt start ${name}`,
  });
}

/**
 * Writes a guest's screen to a target, which is decided under the registry's lock, and returns the format.
 */
async function drawScreen(
  instance: Instance,
  guest: GuestRecord,
  drawn: { readonly screen: number; target(type: PictureType, uuid: string): TargetFile },
): Promise<PictureType> {
  const { monitor, workFolder } = guestPaths(instance.paths, guest.uuid);
  const screen = findScreen(guest, drawn.screen);
  const type = await askPictureType(instance, guest.uuid);
  const request: ChangeRequest = {
    what: "screenshot",
    decide(now) {
      const seen = { monitor, isRunning: true, stateLabel: addedLabelOf(instance, now, "saved-state") };
      const format = type === "image/png" ? { format: "png" } : {};
      // In the guest's folder, of limited size, under a name the guest cannot create first.
      const buffer = `${workFolder}/screen-${instance.host.makeUuid()}`;
      const drawing = { buffer, ...format, ...screen };
      return { ...planScreenshot(drawn.target(type, now.uuid), seen, drawing), xml: now.xml };
    },
  };
  await changeGuest(instance, guest.uuid, { request });
  return type;
}

/**
 * Returns the card and output of a screen. Throws "wrong-state" with libvirt's messages.
 * qemuDomainScreenshot()
 */
function findScreen({ xml }: GuestRecord, head: number): { readonly device: string; readonly head: number } {
  const [card] = completeGuest(parseDomainText(xml)).devices.videos;
  if (card === undefined || card.model.type === "none") {
    throw refused("no screens to take screenshot from", "Add a <video> to the domain.");
  }
  const heads = card.model.heads ?? 1;
  if (head < heads) return { device: card.alias ?? "video0", head };
  throw refused("no such screen ID", `Name a screen from 0 to ${heads - 1}: --screen 0`);
}

function refused(what: string, remedy: string): SvirtError {
  return new SvirtError(`Requested operation is not valid: ${what}`, { kind: "wrong-state", remedy });
}

/** Returns the format of pictures: QEMU always supports PPM. qemu.git qapi/ui.json ImageFormat */
async function askPictureType(instance: Instance, uuid: string): Promise<PictureType> {
  const entries = v.parse(
    schema,
    await withMonitor(instance, uuid, (monitor) => monitor.execute("query-qmp-schema")),
  );
  const knowsPng = entries.some(({ values = [] }) => values.includes("ppm") && values.includes("png"));
  return knowsPng ? "image/png" : "image/x-portable-pixmap";
}
