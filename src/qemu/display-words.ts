import type { Graphics } from "../domain/graphics.ts";
import { socketPath } from "./chardev-words.ts";
import type { Guest } from "./guest.ts";
import type { Launch } from "./launch.ts";
import { cannotTranslate, devicePath } from "./refusal.ts";
import { escapeCommas, keyValues, type Words } from "./words.ts";

const FIRST_VNC_PORT = 5900;
/** How many displays QEMU may try at a start until one is free. */
const LAST_DISPLAY = 1000;

/** -vnc for each display. qemuBuildGraphicsVNCCommandLine() of libvirt */
export function formatGraphics({ domain, devices }: Guest, launch: Launch | undefined): Words {
  let autoPort = FIRST_VNC_PORT;
  return devices.graphics.flatMap((graphics, index) => {
    const path = devicePath("graphics", index);
    if (index > 0) throw cannotTranslate(path, "a guest has one VNC display", "Remove it.");
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
