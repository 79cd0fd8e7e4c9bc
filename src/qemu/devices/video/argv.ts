import type { Video } from "../../../domain/devices/video.ts";
import { type Arguments, jsonArguments } from "../../argument/argument.ts";
import { pciKeys } from "../../argument/bus-properties.ts";
import { virtioKeys } from "../../argument/virtio-properties.ts";
import type { Guest } from "../../model/guest.ts";
import { cannotTranslate, devicePath } from "../../refusal.ts";
import { isHelped, refuseVideo } from "./rules.ts";

const [QXL_KIB, VGAMEM_KIB] = [65_536, 16_384];

/** -device for each video device; the firmware uses the first. qemuBuildVideoCommandLine() of libvirt */
export function formatVideos(guest: Guest): Arguments {
  return guest.devices.videos.flatMap((video, index) => {
    const path = devicePath("video", index);
    refuseVideo(video, guest, path);
    const card = { id: video.alias ?? `video${index}`, isPrimary: index === 0, path };
    const keys = cardKeys(video, card);
    if (keys === undefined) return [];
    const { driver, ...own } = keys;
    const resolution = { xres: video.model.resolution?.x, yres: video.model.resolution?.y };
    const place = video.model.type === "ramfb" ? {} : pciKeys(guest, video.address);
    const helper = isHelped(video) ? ["-chardev", `socket,id=chr-vu-${card.id},fd=3`] : [];
    return [...helper, ...jsonArguments("-device", { driver, ...own, ...resolution, ...place })];
  });
}

type CardKeys = { readonly driver: string } & Readonly<Record<string, unknown>>;

interface Card {
  readonly id: string;
  readonly isPrimary: boolean;
  readonly path: string;
}

function cardKeys(video: Video, { id, isPrimary, path }: Card): CardKeys | undefined {
  const { model } = video;
  switch (model.type) {
    case "none":
      return undefined;
    case "ramfb":
      refuseSecond(video, isPrimary, path);
      return { driver: "ramfb", id };
    case "cirrus":
      refuseSecond(video, isPrimary, path);
      return { driver: "cirrus-vga", id };
    case "vga":
    case "vmvga": {
      refuseSecond(video, isPrimary, path);
      const driver = model.type === "vga" ? "VGA" : "vmware-svga";
      return { driver, id, vgamem_mb: mebibytes(model.vramKiB ?? VGAMEM_KIB, path) };
    }
    case "bochs":
      refuseSecond(video, isPrimary, path);
      return { driver: "bochs-display", id, vgamem: (model.vramKiB ?? VGAMEM_KIB) * 1024 };
    case "virtio":
      return virtioCard(video, { id, isPrimary });
    case "qxl":
      return { ...qxlCard(video, path), id };
  }
}

function qxlCard({ model }: Video, path: string): CardKeys {
  return {
    driver: model.primary === true ? "qxl-vga" : "qxl",
    max_outputs: model.heads ?? 1,
    ram_size: mebibytes(model.ramKiB ?? QXL_KIB, path) * 1024 ** 2,
    vram_size: mebibytes(model.vramKiB ?? QXL_KIB, path) * 1024 ** 2,
    vram64_size_mb: model.vram64KiB === undefined ? 0 : mebibytes(model.vram64KiB, path),
    vgamem_mb: mebibytes(model.vgamemKiB ?? VGAMEM_KIB, path),
  };
}

/** libvirt omits `<driver>` only for the primary vhost-user device. qemuDeviceVideoGetModel() of libvirt */
function virtioCard(video: Video, { id, isPrimary }: Pick<Card, "id" | "isPrimary">): CardKeys {
  const { driver, model } = video;
  const options = isPrimary && isHelped(video) ? {} : virtioKeys(driver);
  const max_outputs = model.heads ?? 1;
  if (isHelped(video)) {
    const name = isPrimary ? "vhost-user-vga" : "vhost-user-gpu-pci";
    return { driver: name, ...options, id, max_outputs, chardev: `chr-vu-${id}` };
  }
  const gl = model.acceleration?.accel3d === true ? "-gl" : "";
  const name = isPrimary ? `virtio-vga${gl}` : `virtio-gpu${gl}-pci`;
  return { driver: name, ...options, id, max_outputs, blob: model.blob };
}

function refuseSecond({ model }: Video, isPrimary: boolean, path: string): void {
  if (isPrimary) return;
  throw cannotTranslate(path, `only the first card can be a ${model.type}`, "Write the model qxl or virtio.");
}

/** Converts to MiB. QEMU accepts only powers of two, at least 1. */
function mebibytes(sizeKiB: number, path: string): number {
  const size = sizeKiB / 1024;
  if (Number.isInteger(Math.log2(size)) && size >= 1) return size;
  throw cannotTranslate(
    `${path}/model`,
    `${sizeKiB} KiB must be a power of two`,
    "Write a power of two, at least 1024.",
  );
}
