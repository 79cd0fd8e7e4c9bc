import type { Graphics } from "../domain/graphics.ts";

/**
 * A display with its port and with the one place where it listens, which the XML may say in two ways.
 * virDomainGraphicsDefParseXMLVNC() and virDomainGraphicsListensParseXML() of libvirt
 */
export function fillGraphics({ socket, listenAddress, ...graphics }: Graphics): Graphics {
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

/** Whether the port is left to be chosen. */
function isPortAutomatic({ autoport, port }: Pick<Graphics, "autoport" | "port">): boolean {
  return autoport === true || port === undefined || port === -1;
}

function listenOf(socket: string | undefined, address: string | undefined): Graphics["listens"][number] {
  if (socket !== undefined) return { type: "socket", socket };
  return { type: "address", ...(address === undefined ? {} : { address }) };
}
