import type { Graphics } from "../domain/graphics.ts";
import type { Video } from "../domain/video.ts";
import { socketPath } from "./chardev-words.ts";
import { pciKeys } from "./device-bus.ts";
import type { Guest } from "./guest.ts";
import type { Launch } from "./launch.ts";
import { cannotTranslate, devicePath } from "./refusal.ts";
import { escapeCommas, jsonWords, keyValues, type Words } from "./words.ts";

const FIRST_VNC_PORT = 5900;
/** How many displays QEMU may try at a start until one is free. */
const LAST_DISPLAY = 1000;

/** -vnc for each display. qemuBuildGraphicsVNCCommandLine() of libvirt */
export function formatGraphics({ domain, devices }: Guest, launch: Launch | undefined): Words {
  let autoPort = FIRST_VNC_PORT;
  return devices.graphics.flatMap((graphics, index) => {
    const path = devicePath("graphics", index);
    if (isAutomatic(graphics)) autoPort += 1;
    const where = formatListen(graphics, {
      path,
      display: autoPort - 1 - FIRST_VNC_PORT,
      name: domain.name,
      launch,
    });
    const pairs = keyValues([
      ["share", graphics.sharePolicy],
      ["audiodev", "audio1"],
    ]);
    return ["-vnc", `${where},${pairs}`];
  });
}

interface ListenFacts {
  readonly path: string;
  /** The display that an automatic one gets. */
  readonly display: number;
  readonly name: string;
  readonly launch: Launch | undefined;
}

type Listen = Graphics["listens"][number];

function formatListen(graphics: Graphics, facts: ListenFacts): string {
  const [listen = defaultListen(graphics), second] = graphics.listens;
  if (second !== undefined) throw cannotTranslate(`${facts.path}/listen[2]`, "QEMU has one", "Remove it.");
  switch (listen.type) {
    case "none":
      return "none";
    case "socket": {
      const native = listen.socket ?? `/var/lib/libvirt/qemu/domain--1-${facts.name}/vnc.sock`;
      const path = facts.launch === undefined ? native : socketPath(facts.launch.folder, "vnc");
      return `vnc=unix:${escapeCommas(path)}`;
    }
    case "address":
      return formatAddress(graphics, listen.address ?? graphics.listenAddress ?? "127.0.0.1", facts);
  }
}

function defaultListen({ socket, listenAddress }: Graphics): Listen {
  if (socket !== undefined) return { type: "socket", socket };
  return { type: "address", ...(listenAddress === undefined ? {} : { address: listenAddress }) };
}

function isAutomatic({ autoport, port, listens, socket }: Graphics): boolean {
  const onAddress = socket === undefined && (listens[0]?.type ?? "address") === "address";
  return onAddress && (autoport === true || port === undefined || port === -1);
}

function formatAddress(graphics: Graphics, address: string, facts: ListenFacts): string {
  const host = address.includes(":") ? `[${address}]` : address;
  if (isAutomatic(graphics)) {
    return facts.launch === undefined ? `${host}:${facts.display}` : `${host}:0,to=${LAST_DISPLAY}`;
  }
  const port = graphics.port ?? FIRST_VNC_PORT;
  if (port >= FIRST_VNC_PORT) return `${host}:${port - FIRST_VNC_PORT}`;
  throw cannotTranslate(`${facts.path}/@port`, `QEMU counts from ${FIRST_VNC_PORT}`, "Write a higher port.");
}

/** -device for each graphics card, the first one with the firmware's screen. qemuBuildVideoCommandLine() of libvirt */
export function formatVideos(guest: Guest): Words {
  return guest.devices.videos.flatMap((video, index) => formatVideo(guest, video, index));
}

const [QXL_KIB, VGAMEM_KIB] = [65_536, 16_384];

function formatVideo(guest: Guest, video: Video, index: number): Words {
  const { model, alias, address } = video;
  const path = devicePath("video", index);
  const id = alias ?? `video${index}`;
  const end = pciKeys(guest, address);
  switch (model.type) {
    case "none":
      return [];
    case "cirrus":
    case "vga":
      if (index > 0)
        throw cannotTranslate(path, `a second card cannot be a ${model.type}`, "Use qxl or virtio.");
      if (model.type === "cirrus") return jsonWords("-device", { driver: "cirrus-vga", id, ...end });
      return jsonWords("-device", {
        driver: "VGA",
        id,
        vgamem_mb: mebibytes(model.vramKiB ?? VGAMEM_KIB, path),
        ...end,
      });
    case "bochs": {
      const vgamem = `${model.vramKiB ?? VGAMEM_KIB}k`;
      return jsonWords("-device", { driver: "bochs-display", id, vgamem, ...end });
    }
    case "virtio": {
      const driver = index === 0 ? "virtio-vga" : "virtio-gpu-pci";
      return jsonWords("-device", { driver, id, max_outputs: model.heads ?? 1, ...end });
    }
    case "qxl": {
      const memory = {
        ram_size: mebibytes(model.ramKiB ?? QXL_KIB, path) * 1024 ** 2,
        vram_size: mebibytes(model.vramKiB ?? QXL_KIB, path) * 1024 ** 2,
        vram64_size_mb: 0,
        vgamem_mb: mebibytes(model.vgamemKiB ?? VGAMEM_KIB, path),
      };
      const driver = index === 0 ? "qxl-vga" : "qxl";
      return jsonWords("-device", { driver, id, max_outputs: model.heads ?? 1, ...memory, ...end });
    }
  }
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
