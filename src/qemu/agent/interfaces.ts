import * as v from "valibot";
import { malformed } from "./answer.ts";

/** Agent command for a list of the guest's interfaces. qemu.git qga/qapi-schema.json GuestNetworkInterface */
export const ASK_INTERFACES = "guest-network-get-interfaces";

/** A network interface as the guest reports it. Names and addresses are untrusted plain text. */
export interface AgentInterface {
  readonly name: string;
  readonly mac: string | undefined;
  readonly addresses: readonly {
    readonly type: "ipv4" | "ipv6";
    readonly address: string;
    readonly prefix: number;
  }[];
}

const address = v.variant("ip-address-type", [
  v.looseObject({
    "ip-address-type": v.literal("ipv4"),
    "ip-address": v.pipe(v.string(), v.ipv4()),
    prefix: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(32)),
  }),
  v.looseObject({
    "ip-address-type": v.literal("ipv6"),
    "ip-address": v.pipe(v.string(), v.ipv6()),
    prefix: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(128)),
  }),
]);

const answer = v.looseObject({
  return: v.array(
    v.looseObject({
      name: v.pipe(v.string(), v.regex(/^\P{C}{1,255}$/u)),
      "hardware-address": v.exactOptional(
        v.pipe(v.string(), v.regex(/^[0-9a-f]{2}(?::[0-9a-f]{2}){5,19}$/i)),
      ),
      "ip-addresses": v.exactOptional(v.array(address)),
    }),
  ),
});

/**
 * Parses the agent's list of interfaces. Merges eth0:1 into eth0. Throws "failed". qemuAgentGetInterfaces()
 * of libvirt
 */
export function parseInterfaces(said: unknown): readonly AgentInterface[] {
  const parsed = v.safeParse(answer, said);
  if (!parsed.success) throw malformed(ASK_INTERFACES, v.getDotPath(parsed.issues[0]) ?? "it");
  const found = new Map<string, AgentInterface>();
  for (const part of parsed.output.return) {
    const name = part.name.replace(/:[^:]*$/, "") || part.name;
    const before = found.get(name);
    const addresses = (part["ip-addresses"] ?? []).map((one) => ({
      type: one["ip-address-type"],
      address: one["ip-address"],
      prefix: one.prefix,
    }));
    const mac = before?.mac ?? part["hardware-address"]?.toLowerCase();
    found.set(name, { name, mac, addresses: [...(before?.addresses ?? []), ...addresses] });
  }
  return [...found.values()];
}
