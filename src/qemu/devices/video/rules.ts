import type { Video } from "../../../domain/devices/video.ts";
import type { Guest } from "../../model/guest.ts";
import { cannotTranslate } from "../../refusal.ts";

/** Models with a resolution. */
const RESIZABLE: ReadonlySet<string> = new Set(["vga", "qxl", "virtio", "bochs"]);

/** Models with several screens. */
const MANY_HEADS: ReadonlySet<string> = new Set(["qxl", "virtio"]);

/** Whether a vhost-user process renders for the device. */
export function isHelped({ driver }: Video): boolean {
  return driver?.name === "vhostuser";
}

/**
 * Refuses settings that the model does not have. Throws "unsupported". qemuValidateDomainDeviceDefVideo() of
 * libvirt
 */
export function refuseVideo(video: Video, guest: Guest, path: string): void {
  const { driver, model } = video;
  const isVirtio = model.type === "virtio";
  const { accel2d, accel3d, rendernode } = model.acceleration ?? {};
  const others: readonly (readonly [place: string, isThere: boolean])[] = [
    ["driver", !isVirtio && Object.keys(driver ?? {}).some((key) => key !== "name")],
    ["driver/@name", !isVirtio && isHelped(video)],
    ["model/acceleration/@accel3d", !isVirtio && accel3d === true],
    ["model/acceleration/@rendernode", rendernode !== undefined && !isHelped(video)],
    ["model/acceleration/@accel2d", accel2d === true],
    ["model/@ram", model.type !== "qxl" && model.ramKiB !== undefined],
    ["model/@vgamem", model.type !== "qxl" && model.vgamemKiB !== undefined],
    ["model/@blob", !isVirtio && model.blob !== undefined],
    ["model/@vram64", model.type !== "qxl" && model.vram64KiB !== undefined],
    ["model/resolution", !RESIZABLE.has(model.type) && model.resolution !== undefined],
  ];
  const strange = others.find(([, isThere]) => isThere);
  if (strange !== undefined) {
    throw cannotTranslate(
      `${path}/${strange[0]}`,
      `a ${model.type} card does not have this setting`,
      "Leave it out.",
    );
  }
  refuseTogether(video, guest, path);
}

/** Refuses settings in contradiction with other elements. */
function refuseTogether({ address, model }: Video, { devices, domain }: Guest, path: string): void {
  if (!MANY_HEADS.has(model.type) && (model.heads ?? 1) > 1) {
    throw cannotTranslate(
      `${path}/model/@heads`,
      `a ${model.type} card has only one screen`,
      "Write heads='1'.",
    );
  }
  if (model.type === "ramfb" && address !== undefined) {
    throw cannotTranslate(`${path}/address`, "ramfb is not on a bus", "Leave it out.");
  }
  if (model.type === "none" && devices.videos.length > 1) {
    const why = "the guest has other graphics cards";
    throw cannotTranslate(`${path}/model/@type`, why, "Remove this card, or the others.");
  }
  if (model.blob !== true || domain.memoryBacking?.source?.type === "memfd") return;
  const why = "it requires guest memory from memfd";
  throw cannotTranslate(`${path}/model/@blob`, why, "Write <memoryBacking><source type='memfd'/>.");
}
