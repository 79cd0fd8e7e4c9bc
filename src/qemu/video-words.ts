import type { Video } from "../domain/video.ts";
import { pciKeys } from "./device-bus.ts";
import type { Guest } from "./guest.ts";
import type { Launch } from "./launch.ts";
import { cannotTranslate, devicePath, refuseUnproven } from "./refusal.ts";
import { jsonWords, type Words } from "./words.ts";

const [QXL_KIB, VGAMEM_KIB] = [65_536, 16_384];

/** -device for each graphics card, the first one with the firmware's screen. qemuBuildVideoCommandLine() of libvirt */
export function formatVideos(guest: Guest, launch: Launch | undefined): Words {
  return guest.devices.videos.flatMap((video, index) => {
    const path = devicePath("video", index);
    if (video.model.type === "none" && guest.devices.videos.length > 1) {
      throw cannotTranslate(
        `${path}/model/@type`,
        "there are other graphics cards",
        "Remove it, or the others.",
      );
    }
    if (video.model.type === "bochs") refuseUnproven(launch, `${path}/model`, "a bochs card");
    const keys = cardKeys(video.model, index === 0, path);
    if (keys === undefined) return [];
    const { driver, ...own } = keys;
    const id = video.alias ?? `video${index}`;
    return jsonWords("-device", { driver, id, ...own, ...pciKeys(guest, video.address) });
  });
}

type Model = Video["model"];
type CardKeys = { readonly driver: string } & Readonly<Record<string, unknown>>;

function cardKeys(model: Model, isPrimary: boolean, path: string): CardKeys | undefined {
  switch (model.type) {
    case "none":
      return undefined;
    case "cirrus":
      refuseSecond(model, isPrimary, path);
      return { driver: "cirrus-vga" };
    case "vga":
      refuseSecond(model, isPrimary, path);
      return { driver: "VGA", vgamem_mb: mebibytes(model.vramKiB ?? VGAMEM_KIB, path) };
    case "bochs":
      return { driver: "bochs-display", vgamem: (model.vramKiB ?? VGAMEM_KIB) * 1024 };
    case "virtio":
      return { driver: isPrimary ? "virtio-vga" : "virtio-gpu-pci", max_outputs: model.heads ?? 1 };
    case "qxl":
      return {
        driver: isPrimary ? "qxl-vga" : "qxl",
        max_outputs: model.heads ?? 1,
        ram_size: mebibytes(model.ramKiB ?? QXL_KIB, path) * 1024 ** 2,
        vram_size: mebibytes(model.vramKiB ?? QXL_KIB, path) * 1024 ** 2,
        vram64_size_mb: 0,
        vgamem_mb: mebibytes(model.vgamemKiB ?? VGAMEM_KIB, path),
      };
  }
}

function refuseSecond({ type }: Model, isPrimary: boolean, path: string): void {
  if (!isPrimary) throw cannotTranslate(path, `a second card cannot be a ${type}`, "Use qxl or virtio.");
}

/** The card takes powers of two only; the reference rounds up, which would be another size than the XML's. */
function mebibytes(sizeKiB: number, path: string): number {
  const size = sizeKiB / 1024;
  if (Number.isInteger(Math.log2(size)) && size >= 1) return size;
  throw cannotTranslate(
    `${path}/model`,
    `${sizeKiB} KiB is no power of two`,
    "Write a power of two, at least 1024.",
  );
}
