import type { Graphics } from "../../../domain/devices/graphics/graphics.ts";
import { type Arguments, escapeCommas, keyValues, onOffWord } from "../../argument/argument.ts";
import { cannotTranslate } from "../../refusal.ts";
import { socketPath } from "../chardev/backend.ts";
import { audioWord, type DisplayFacts, networkUnknown } from "./facts.ts";

const FIRST_VNC_PORT = 5900;

type Vnc = Extract<Graphics, { readonly type: "vnc" }>;
type Listen = Vnc["listens"][number];

/** -vnc. qemuBuildGraphicsVNCCommandLine() of libvirt */
export function formatVnc(graphics: Vnc, facts: DisplayFacts): Arguments {
  const pairs = keyValues([
    ["share", graphics.sharePolicy],
    ["password", graphics.passwd === undefined ? undefined : "on"],
    ["power-control", graphics.powerControl === undefined ? undefined : onOffWord(graphics.powerControl)],
    ["audiodev", audioWord(facts, graphics.audio?.id)],
  ]);
  const keymap = graphics.keymap === undefined ? [] : ["-k", graphics.keymap];
  return ["-vnc", `${formatListen(graphics, facts)},${pairs}`, ...keymap];
}

function formatListen(graphics: Vnc, facts: DisplayFacts): string {
  const [listen = defaultListen(graphics), second] = graphics.listens;
  if (second !== undefined)
    throw cannotTranslate(`${facts.path}/listen[2]`, "QEMU supports only one listen address", "Remove it.");
  switch (listen.type) {
    case "none":
      return "none";
    case "socket": {
      const { name } = facts.guest.domain;
      const native = listen.socket ?? graphics.socket ?? `/var/lib/libvirt/qemu/domain--1-${name}/vnc.sock`;
      const path = facts.launch === undefined ? native : socketPath(facts.launch.folder, "vnc");
      return `vnc=unix:${escapeCommas(path)}`;
    }
    case "network":
      throw networkUnknown(facts.path);
    case "address":
      return formatAddress(graphics, listen.address ?? graphics.listenAddress ?? "127.0.0.1", facts);
  }
}

function defaultListen({ socket, listenAddress }: Vnc): Listen {
  if (socket !== undefined) return { type: "socket", socket };
  return { type: "address", ...(listenAddress === undefined ? {} : { address: listenAddress }) };
}

function isAutomatic({ autoport, port }: Vnc): boolean {
  return autoport === true || port === undefined || port === -1;
}

function formatAddress(graphics: Vnc, address: string, facts: DisplayFacts): string {
  // svirt listens itself, and passes the socket over the monitor.
  if (facts.launch !== undefined) return "none";
  const host = address.includes(":") ? `[${address}]` : address;
  const web = formatWebsocket(graphics, facts.path);
  if (isAutomatic(graphics)) return `${host}:0${web}`;
  const port = graphics.port ?? FIRST_VNC_PORT;
  if (port >= FIRST_VNC_PORT) return `${host}:${port - FIRST_VNC_PORT}${web}`;
  throw cannotTranslate(
    `${facts.path}/@port`,
    `QEMU's VNC ports begin at ${FIRST_VNC_PORT}`,
    "Write a higher port.",
  );
}

function formatWebsocket({ websocket = 0 }: Vnc, path: string): string {
  if (websocket >= 0) return websocket === 0 ? "" : `,websocket=${websocket}`;
  throw cannotTranslate(`${path}/@websocket`, "svirt does not choose a WebSocket port", "Write the port.");
}
