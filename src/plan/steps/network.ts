import * as v from "valibot";
import { shapeSchema } from "../../network/traffic-shape.ts";
import { aNumber, aString } from "../facts/plain-schemas.ts";
import { type Kinds, noInverse } from "./kind.ts";

const address = { address: aString, prefix: aNumber };

/** HostBridge of network/bridge/host-bridge.ts. */
const bridge = v.strictObject({
  name: aString,
  mac: aString,
  mtu: v.exactOptional(aNumber),
  stp: v.boolean(),
  delaySeconds: aNumber,
  addresses: v.array(v.strictObject(address)),
  routes: v.array(v.strictObject({ ...address, gateway: aString, metric: aNumber })),
  isIsolated: v.boolean(),
  inbound: v.exactOptional(shapeSchema),
});

const makeBridge = v.strictObject({ do: v.literal("make-bridge"), bridge });

/** Removes a bridge that svirt has created with this address. A bridge of a different owner stays. */
const removeBridge = v.strictObject({ do: v.literal("remove-bridge"), name: aString, mac: aString });

/** Sets the tables of a network in the packet filter, by a script of nft. formatPacketRules() */
const setNetworkRules = v.strictObject({
  do: v.literal("set-network-rules"),
  uuid: aString,
  script: aString,
});
const removeNetworkRules = v.strictObject({ do: v.literal("remove-network-rules"), uuid: aString });

const forwarding = {
  /** File of the kernel that has "1" if the host forwards packets. */
  path: aString,
  /** Boot of the step: the kernel starts each boot without forwarding. */
  bootId: aString,
};
const forwardPackets = v.strictObject({ do: v.literal("forward-packets"), ...forwarding });
const stopForwarding = v.strictObject({ do: v.literal("stop-forwarding"), ...forwarding });

const serverFile = v.strictObject({ path: aString, text: aString });
const server = {
  /** Folder of its files, and the folder of all servers. */
  folder: aString,
  above: aString,
  /** Command line. Its second word identifies the process. */
  command: v.tupleWithRest([aString, aString], aString),
};

/**
 * Starts a network's DHCP and DNS server with these files, after the end of an earlier one, which had the
 * files `before`.
 */
const startServer = v.strictObject({
  do: v.literal("start-server"),
  network: aString,
  ...server,
  files: v.array(serverFile),
  before: v.exactOptional(v.array(serverFile)),
});

/** Ends the server of a network, and removes its files. */
const endServer = v.strictObject({
  do: v.literal("end-server"),
  network: aString,
  folder: aString,
  /** Word of the command line that identifies the process. */
  argument: aString,
});

/** Has the server's program read a configuration, while an earlier server runs. dnsmasq(8), --test */
const testServer = v.strictObject({
  do: v.literal("test-server"),
  network: aString,
  program: aString,
  folder: aString,
  above: aString,
  file: serverFile,
});

/** Removes the configuration that was tested, or a part of it. */
const dropTest = v.strictObject({ do: v.literal("drop-test"), path: aString });

/** Step on a part of the host that a network makes. */
export type NetworkStep = v.InferOutput<
  | typeof makeBridge
  | typeof removeBridge
  | typeof setNetworkRules
  | typeof removeNetworkRules
  | typeof forwardPackets
  | typeof stopForwarding
  | typeof startServer
  | typeof endServer
  | typeof testServer
  | typeof dropTest
>;

/** Definition of each kind of step in this file. */
export const networkSteps: Kinds<NetworkStep> = {
  "make-bridge": {
    schema: makeBridge,
    inverse: ({ bridge: { mac, name } }) => ({ do: "remove-bridge", name, mac }),
    describe: ({ bridge: { addresses, isIsolated, mac, name } }) =>
      `create the bridge ${name}: MAC ${mac}, ${addresses.map((one) => `${one.address}/${one.prefix}`).join(", ") || "no address"}${isIsolated ? ", isolated" : ""}, up`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  "remove-bridge": {
    schema: removeBridge,
    inverse: noInverse,
    describe: ({ mac, name }) => `remove the bridge ${name} if svirt has created it with the MAC ${mac}`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  "set-network-rules": {
    schema: setNetworkRules,
    inverse: ({ uuid }) => ({ do: "remove-network-rules", uuid }),
    describe: ({ uuid }) => `set the packet rules of the network ${uuid}`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  "remove-network-rules": {
    schema: removeNetworkRules,
    inverse: noInverse,
    describe: ({ uuid }) => `remove the packet rules of the network ${uuid}`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  "forward-packets": {
    schema: forwardPackets,
    inverse: (done) => ({ ...done, do: "stop-forwarding" }),
    describe: ({ path }) => `have the host forward packets: 1 in ${path}`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  "stop-forwarding": {
    schema: stopForwarding,
    inverse: noInverse,
    describe: ({ path }) => `have the host forward no packets: 0 in ${path}`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  "start-server": {
    schema: startServer,
    inverse: (done) => {
      const { before, command, files, folder, network } = done;
      if (before === undefined) return { do: "end-server", network, folder, argument: command[1] };
      return { ...done, files: before, before: files };
    },
    describe: ({ command, network }) => `start the DHCP and DNS server of ${network}: ${command.join(" ")}`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  "end-server": {
    schema: endServer,
    inverse: noInverse,
    describe: ({ folder, network }) => `end the DHCP and DNS server of ${network}, and remove ${folder}`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  "test-server": {
    schema: testServer,
    inverse: ({ file }) => ({ do: "drop-test", path: file.path }),
    describe: ({ network, program }) => `have ${program} test the new configuration of ${network}`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  "drop-test": {
    schema: dropTest,
    inverse: noInverse,
    describe: ({ path }) => `remove ${path}`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
};
