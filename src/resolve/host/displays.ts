import type { Domain } from "../../domain/domain.ts";
import type { Host } from "../../host/host.ts";
import { decideDisplay } from "../../plan/decide/vnc-port.ts";
import type { Display } from "../../plan/facts/display.ts";
import { type Instance, registryOf } from "../../state/instance.ts";

/**
 * Decides the TCP address and port of each screen of a domain. The caller holds the registry lock, so that no
 * other guest gets the same port. Throws the errors of decideDisplay().
 */
export function decideDisplays(instance: Instance, { devices }: Domain): Display[] {
  const getTaken = (): ReadonlySet<number> => {
    const held = registryOf(instance).listKeys("port").map(Number);
    return new Set([...held, ...listListening(instance.host)]);
  };
  return devices.graphics.flatMap(
    (graphics, at) => decideDisplay(graphics, getTaken, `/domain/devices/graphics[${at + 1}]`) ?? [],
  );
}

/** Returns the domain with the address and port of its screen, as a running guest's XML shows them. */
export function addDisplays(domain: Domain, displays: readonly Display[]): Domain {
  const [display] = displays;
  if (display === undefined) return domain;
  const { address, port } = display;
  const graphics = domain.devices.graphics.map((found) => {
    if (found.type !== "vnc") return found;
    const [, ...others] = found.listens;
    return {
      ...found,
      port,
      listenAddress: address,
      listens: [{ type: "address" as const, address }, ...others],
    };
  });
  return { ...domain, devices: { ...domain.devices, graphics } };
}

/**
 * Lines of /proc/net/tcp and tcp6: number, local address and port, the remote's, state; 0A is TCP_LISTEN.
 * proc_net(5)
 */
const LISTENING = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A /gm;

function listListening(host: Host): number[] {
  return ["tcp", "tcp6"].flatMap((file) =>
    [...(host.readText(`/proc/net/${file}`) ?? "").matchAll(LISTENING)].map(([, port = ""]) =>
      Number.parseInt(port, 16),
    ),
  );
}
