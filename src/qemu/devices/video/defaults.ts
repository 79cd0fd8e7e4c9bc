import type { Video } from "../../../domain/devices/video.ts";
import { cannotTranslate, devicePath } from "../../refusal.ts";

/**
 * Default memory, also in place of 0. virDomainVideoDefaultRAM() and qemuDomainDeviceVideoDefPostParse() of
 * libvirt
 */
const [VGA_KIB, QXL_KIB, VGAMEM_KIB] = [16_384, 65_536, 16_384];

/** Sets the memory of video devices, and sorts the primary device first, for the firmware. */
export function fillVideos(videos: readonly Video[]): readonly Video[] {
  const primary = videos.filter(({ model }) => model.primary === true);
  const [, second] = primary;
  if (second !== undefined) {
    const path = `${devicePath("video", videos.indexOf(second))}/model/@primary`;
    throw cannotTranslate(path, "another card is already primary", "Leave it out.");
  }
  const sorted = [...primary, ...videos.filter(({ model }) => model.primary !== true)];
  return sorted.map((video, index) => ({ ...video, model: fillModel(video.model, index === 0) }));
}

/** Rounds up to a power of two. virDomainVideoDefPostParse() of libvirt */
function roundUp(kiB: number): number {
  return 2 ** Math.ceil(Math.log2(kiB));
}

function fillModel({ primary: _primary, ...model }: Video["model"], isPrimary: boolean): Video["model"] {
  const end = { heads: model.heads ?? 1, ...(isPrimary ? { primary: true } : {}) };
  switch (model.type) {
    case "none":
      return { type: "none" };
    case "vga":
    case "cirrus":
    case "bochs":
    case "vmvga":
      return { ...model, vramKiB: roundUp(model.vramKiB || VGA_KIB), ...end };
    case "qxl":
      return { ...fillQxl(model), ...end };
    case "virtio":
    case "ramfb":
      return { ...model, ...end };
  }
}

function fillQxl({ vram64KiB, ...model }: Video["model"]): Video["model"] {
  const [ramKiB, vramKiB] = [roundUp(model.ramKiB || QXL_KIB), roundUp(model.vramKiB || QXL_KIB)];
  const vgamemKiB = model.vgamemKiB || VGAMEM_KIB;
  return { ...model, ramKiB, vramKiB, vgamemKiB, ...(vram64KiB ? { vram64KiB } : {}) };
}
