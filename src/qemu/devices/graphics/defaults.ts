import type { Graphics } from "../../../domain/devices/graphics/graphics.ts";
import { isOwnSocket } from "../../argument/guest-socket.ts";

type Vnc = Extract<Graphics, { readonly type: "vnc" }>;
type Spice = Extract<Graphics, { readonly type: "spice" }>;
type Listen = Vnc["listens"][number];

/** Sets a display's port and its only listen address, stated by the XML in up to two places. */
export function fillGraphics(graphics: Graphics): Graphics {
  switch (graphics.type) {
    case "vnc":
      return fillVnc(graphics);
    case "spice":
      return fillSpice(graphics);
    case "sdl":
    case "egl-headless":
    case "dbus":
      return graphics;
  }
}

// virDomainGraphicsDefParseXMLVNC() and virDomainGraphicsListensParseXML() of libvirt
function fillVnc({ socket, listenAddress, port, autoport, ...graphics }: Vnc): Vnc {
  const ports = vncPorts({ port, autoport });
  const [first = listenOf(socket, listenAddress), ...others] = graphics.listens;
  switch (first.type) {
    case "none":
      return { ...graphics, listens: [first, ...others] };
    case "socket": {
      const path = first.socket ?? socket;
      const shown = path === undefined || isOwnSocket(path) ? {} : { socket: path };
      return { ...graphics, ...shown, listens: [{ type: "socket", ...shown }, ...others] };
    }
    case "network":
      return { ...graphics, ...ports, listens: [first, ...others] };
    case "address":
      return { ...graphics, ...ports, ...listeningAt(first.address ?? listenAddress, others) };
  }
}

// virDomainGraphicsDefParseXMLSpice() of libvirt
function fillSpice({ autoport, listenAddress, port, tlsPort, ...graphics }: Spice): Spice {
  const [first = listenOf(undefined, listenAddress), ...others] = graphics.listens;
  const ports = spicePorts({ autoport, port, tlsPort });
  if (first.type === "network") return { ...graphics, ...ports, listens: [first, ...others] };
  if (first.type !== "address") return { ...graphics, listens: [first, ...others] };
  if (ports === undefined) return { ...graphics, listens: [{ type: "none" }, ...others] };
  return { ...graphics, ...ports, ...listeningAt(first.address ?? listenAddress, others) };
}

/** Writes the address in the element itself and in its first `<listen>`. */
function listeningAt(address: string | undefined, others: Spice["listens"]) {
  if (address === undefined) return { listens: [{ type: "address" as const }, ...others] };
  return { listenAddress: address, listens: [{ type: "address" as const, address }, ...others] };
}

type SpicePorts = Pick<Spice, "autoport" | "port" | "tlsPort">;

/** Undefined without any port: the display does not listen. */
function spicePorts({
  autoport,
  port,
  tlsPort,
}: { [K in keyof SpicePorts]: Spice[K] | undefined }): SpicePorts | undefined {
  if (autoport === true || (port === -1 && tlsPort === -1)) return { autoport: true };
  if ((port ?? 0) <= 0 && (tlsPort ?? 0) <= 0) return undefined;
  return {
    autoport: false,
    ...(port === undefined ? {} : { port }),
    ...(tlsPort === undefined ? {} : { tlsPort }),
  };
}

/** Port and autoport of VNC; -1 if a start chooses the port. */
function vncPorts({
  autoport,
  port = -1,
}: { [K in "autoport" | "port"]: Vnc[K] | undefined }): Required<Pick<Vnc, "autoport" | "port">> {
  const isAutomatic = autoport === true || port === -1;
  return { port: isAutomatic ? -1 : port, autoport: isAutomatic };
}

function listenOf(socket: string | undefined, address: string | undefined): Listen {
  if (socket !== undefined) return { type: "socket", socket };
  return { type: "address", ...(address === undefined ? {} : { address }) };
}
