import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { inOwnNetwork } from "./in-own-network.ts";

const isReady =
  process.getuid?.() === 0 &&
  existsSync("/dev/net/tun") &&
  Bun.spawnSync(["unshare", "-n", "ip", "link", "add", "br0", "type", "bridge"]).success;
const ASIDE = isReady ? "" : " (skipped: needs root, /dev/net/tun, ip and bridges)";

const hasMacvtaps =
  isReady &&
  Bun.spawnSync([
    "unshare",
    "-n",
    "sh",
    "-c",
    "ip link add br0 type bridge && ip link add link br0 type macvtap",
  ]).success;

test.skipIf(!hasMacvtaps)(
  `macvtaps of the real kernel are made, opened by their nodes, and removed by their group${hasMacvtaps ? "" : " (skipped: needs root, /dev/net/tun, ip and macvtaps)"}`,
  async () => {
    const { errors, facts } = await inOwnNetwork("macvtap-in-network.ts");
    expect(errors).toBe("");
    expect(facts).toEqual({
      address: "52:54:00:00:00:01",
      group: "1879048193",
      isUp: [true, true],
      mode: "bridge",
      hasHeader: true,
      arrived: "hello, neighbour",
      twice: "Cannot create the macvtap web: a network device of that name exists",
      missing: "Cannot find the network device eth9: No such device (errno 19)",
      anotherGroup: true,
      removed: [false, false],
      node: false,
      passedThrough: ["passthru", "52:54:00:00:00:03", "52:54:00:00:00:03"],
      putBack: true,
      again: "",
    });
  },
);

describe.skipIf(!isReady)(`taps of the real kernel${ASIDE}`, () => {
  test("are made, set up on a bridge as asked, seen by the guest's end, and gone with their descriptors", async () => {
    const { errors, facts } = await inOwnNetwork("tap-in-network.ts");
    expect(errors).toBe("");
    expect(facts).toEqual({
      refusedTwice: "Cannot open the tap vnet0 for the guest: another program uses it",
      address: "fe:54:00:00:00:01",
      mtu: "1400",
      queues: 2,
      ports: ["vnet0", "web"],
      isUp: [true, true],
      resolved: 7,
      missingBridge: "Cannot find the network device br9: No such device (errno 19)",
      arrived: "hello, neighbour",
      isolated: ["1", "1"],
      arrivedIsolated: "nothing",
      afterClose: ["web"],
      anotherAddress: ["web"],
      persistent: ["web"],
      removed: [],
      withoutAddress: true,
    });
  });

  test("are told to be open as long as a file of them is, a persistent one by its carrier", async () => {
    const { errors, facts } = await inOwnNetwork("open-tap-in-network.ts");
    expect(errors).toBe("");
    // In pairs: a tap that svirt creates, and a persistent one.
    expect(facts).toEqual({
      before: [false, false],
      isOpenDown: false,
      held: [true, true],
      closed: [false, false],
      another: false,
    });
  });
});
