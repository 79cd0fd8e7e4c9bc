import type { Graphics } from "../../domain/devices/graphics/graphics.ts";
import { SvirtError } from "../../errors.ts";
import type { Display } from "../facts/display.ts";
import { FIRST_VNC_PORT } from "../facts/display-address.ts";

// Rule: VNC has a port from 5900 to 5999, which no other guest has.

/** Last of the ports denied by the policy to guests' own networks: image/policy/svirt-displays.cil. */
const LAST_VNC_PORT = 5999;
/** virQEMUDriverConfig: vnc_listen */
const DEFAULT_ADDRESS = "127.0.0.1";
const IP_ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)$/;

/**
 * Decides the TCP address of a display; undefined if it has none. `getTaken` returns ports with a listener or
 * a planned display. Throws "unsupported" for an invalid port or address, "in-use" for a used port.
 */
export function decideDisplay(
  graphics: Graphics,
  getTaken: () => ReadonlySet<number>,
  place: string,
): Display | undefined {
  if (graphics.type !== "vnc") return undefined;
  const [listen] = graphics.listens;
  if (listen !== undefined && listen.type !== "address") return undefined;
  if (listen === undefined && graphics.socket !== undefined) return undefined;
  const address = listen?.address ?? graphics.listenAddress ?? DEFAULT_ADDRESS;
  const isAutomatic = graphics.autoport === true || graphics.port === undefined || graphics.port === -1;
  const taken = getTaken();
  return {
    address: checkAddress(address === "localhost" ? DEFAULT_ADDRESS : address, place),
    port: isAutomatic ? freePort(taken) : checkPort(graphics.port ?? FIRST_VNC_PORT, taken, place),
  };
}

function checkAddress(address: string, place: string): string {
  if (IP_ADDRESS.test(address)) return address;
  throw new SvirtError(
    `Cannot start the guest: ${place}/listen: svirt does not resolve host names: ${address}`,
    {
      kind: "unsupported",
      remedy: "Write an IP address of the host.",
    },
  );
}

function checkPort(port: number, taken: ReadonlySet<number>, place: string): number {
  if (port < FIRST_VNC_PORT || port > LAST_VNC_PORT) {
    const why = `the policy protects only ports ${FIRST_VNC_PORT} to ${LAST_VNC_PORT} from other guests`;
    throw new SvirtError(`Cannot start the guest: ${place}/@port is ${port}: ${why}`, {
      kind: "unsupported",
      remedy: "Write a port in that range, or autoport='yes'.",
    });
  }
  if (!taken.has(port)) return port;
  throw new SvirtError(`Cannot assign port ${port} to the guest's display: another program listens on it`, {
    kind: "in-use",
    remedy: "Write another port, or autoport='yes'.",
  });
}

function freePort(taken: ReadonlySet<number>): number {
  for (let port = FIRST_VNC_PORT; port <= LAST_VNC_PORT; port += 1) {
    if (!taken.has(port)) return port;
  }
  throw new SvirtError(
    `Cannot assign a port to the guest's display: ${FIRST_VNC_PORT} to ${LAST_VNC_PORT} are in use`,
    {
      kind: "in-use",
      remedy: "Write <listen type='socket'/>: the display is then a socket in the guest's folder.",
    },
  );
}
