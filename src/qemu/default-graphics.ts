import type { Graphics } from "../domain/graphics.ts";

type Vnc = Extract<Graphics, { readonly type: "vnc" }>;
type Spice = Extract<Graphics, { readonly type: "spice" }>;
type Listen = Vnc["listens"][number];

/** A display with its port and with the one place where it listens, which the XML may say in two ways. */
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
function fillVnc({ socket, listenAddress, ...graphics }: Vnc): Vnc {
  const [first = listenOf(socket, listenAddress), ...others] = graphics.listens;
  switch (first.type) {
    case "none":
      return { ...graphics, listens: [first, ...others] };
    case "socket": {
      const path = first.socket ?? socket;
      const shown = path === undefined ? {} : { socket: path };
      return { ...graphics, ...shown, listens: [{ type: "socket", ...shown }, ...others] };
    }
    case "address": {
      const address = first.address ?? listenAddress;
      const isAutomatic = isPortAutomatic(graphics);
      return {
        ...graphics,
        port: isAutomatic ? -1 : (graphics.port ?? -1),
        autoport: isAutomatic,
        ...(address === undefined ? {} : { listenAddress: address }),
        listens: [{ type: "address", ...(address === undefined ? {} : { address }) }, ...others],
      };
    }
  }
}

/** Without any port it listens nowhere. virDomainGraphicsDefParseXMLSpice() and qemuDomainDeviceDefPostParse() */
function fillSpice({ autoport, listenAddress, port, tlsPort, ...graphics }: Spice): Spice {
  const [first = listenOf(undefined, listenAddress), ...others] = graphics.listens;
  if (first.type !== "address") return { ...graphics, listens: [first, ...others] };
  const isAutomatic = autoport === true || (port === -1 && tlsPort === -1);
  if (!isAutomatic && (port ?? 0) <= 0) return { ...graphics, listens: [{ type: "none" }, ...others] };
  const address = first.address ?? listenAddress;
  const shown = address === undefined ? {} : { address };
  return {
    ...graphics,
    ...(isAutomatic || port === undefined ? {} : { port }),
    autoport: isAutomatic,
    ...(address === undefined ? {} : { listenAddress: address }),
    listens: [{ type: "address", ...shown }, ...others],
  };
}

/** Whether the port is left to be chosen. */
function isPortAutomatic({ autoport, port }: Pick<Vnc, "autoport" | "port">): boolean {
  return autoport === true || port === undefined || port === -1;
}

function listenOf(socket: string | undefined, address: string | undefined): Listen {
  if (socket !== undefined) return { type: "socket", socket };
  return { type: "address", ...(address === undefined ? {} : { address }) };
}
