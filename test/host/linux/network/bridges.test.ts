import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { inOwnNetwork } from "./in-own-network.ts";

const hasNft = existsSync("/usr/sbin/nft");
const isReady =
  process.getuid?.() === 0 &&
  Bun.spawnSync(["unshare", "-n", "ip", "link", "add", "br0", "type", "bridge"]).success;
const ASIDE = isReady ? "" : " (skipped: needs root, ip and bridges)";

test.skipIf(!isReady)(
  `bridges of the real kernel are made as a network has them, isolated if it is, and removed by their mark${ASIDE}`,
  async () => {
    const { errors, facts } = await inOwnNetwork("bridge-in-network.ts");
    expect(errors).toBe("");
    expect(facts).toEqual({
      plain: {
        address: "52:54:00:00:00:01",
        stp: "1",
        // The kernel raises the delay to its minimum. br_stp_start() in net/bridge/br_stp_if.c
        delay: "200",
        isUp: true,
        // disable_ipv6, accept_ra and autoconf.
        ipv6: ["1", "0", "0"],
        rules: ["1: from all iif virbr0 blackhole proto 118", "1: from all iif virbr0 blackhole proto 118"],
        addresses: [],
      },
      twice: "error creating bridge interface virbr0: File exists",
      full: {
        // A port of a smaller MTU does not lower it.
        mtu: "1400",
        stp: "0",
        delay: "400",
        ipv6: ["0", "0", "0"],
        rules: [],
        ipv4Addresses: ["10.9.0.1/24 brd 10.9.0.255 scope global"],
        ipv6Addresses: ["fd00:9::1/64 scope global"],
        ipv4Route: "10.10.0.0/16 via 10.9.0.7 dev lan metric 1",
        ipv6Route: "fd00:a::/48 via fd00:9::7 dev lan metric 5",
      },
      decisions: {
        lanToOther: "192.0.2.9 from 10.9.0.7 dev other",
        aloneToOther: "dropped",
        aloneToLan: "dropped",
        aloneToHost: "local 10.8.0.1 from 10.8.0.7 dev lo table local",
        lanToOther6: expect.stringContaining("dev other"),
        aloneToOther6: "dropped",
        aloneToHost6: expect.stringContaining("local fd00:8::1"),
      },
      badRoute: "Cannot add the route to 10.11.0.0/16 to bad: Network is unreachable (errno 101)",
      isBadThere: true,
      // A bridge with the address and another link group, one with another address, and the one that failed.
      kept: [true, true, false],
      again: "",
      left: ["far", "lo", "near", "other", "port", "virbr9"],
      rulesLeft: [],
    });
  },
);

test.skipIf(!isReady || !existsSync("/dev/net/tun"))(
  `a guest's spanning tree changes neither the root nor the times of a network's bridge, and a disconnected tap sends nothing${isReady && existsSync("/dev/net/tun") ? "" : " (skipped: needs root, /dev/net/tun, ip and bridges)"}`,
  async () => {
    const { errors, facts } = await inOwnNetwork("tree-in-network.ts");
    expect(errors).toBe("");
    const tap = {
      snooping: "0",
      ipv6: ["1", "0"],
      addresses: "",
      // Port and up: before, after a call with another address, and after one with the tap's.
      states: [
        [true, true],
        [true, true],
        [false, false],
      ],
      isRefused: true,
    };
    const own = { isOwnRoot: true, rootPort: "0", forwardDelay: "200", isChanged: false };
    expect(facts).toEqual({
      guarded: { ...tap, ...own },
      // The message of a port without guard is believed: IEEE Std 802.1D-2004, 8.6.
      other: { ...tap, isOwnRoot: false, rootPort: "1", forwardDelay: "3000", isChanged: expect.anything() },
    });
  },
  60_000,
);

const ISOLATED = {
  guestToHost: "10.8.0.7",
  guestToWorld: "nothing",
  worldToGuest: "nothing",
  datagramToGuest: false,
};
const ROUTED = {
  guestToHost: "10.8.0.7",
  guestToWorld: "10.8.0.7",
  worldToGuest: "192.0.2.9",
  datagramToGuest: true,
};

// Who answers a connection is named by the address that the other end sees.
test.skipIf(!isReady)(
  `a guest of mode open reaches the world, and the world reaches it${ASIDE}`,
  async () => {
    const { errors, facts } = await inOwnNetwork("traffic-in-network.ts");
    expect(errors).toBe("");
    expect(facts).toMatchObject({ open: ROUTED, left: "" });
  },
  120_000,
);

test.skipIf(!isReady || !hasNft)(
  `a guest of an isolated network reaches the host alone and is not reached, one of mode nat has the host's address outside and is not reached, one of mode route is${isReady && hasNft ? "" : " (skipped: needs root, ip, bridges and nft)"}`,
  async () => {
    const { errors, facts } = await inOwnNetwork("traffic-in-network.ts");
    expect(errors).toBe("");
    expect(facts).toMatchObject({
      none: ISOLATED,
      nat: {
        guestToHost: "10.8.0.7",
        guestToWorld: "192.0.2.1",
        worldToGuest: "refused",
        datagramToGuest: false,
      },
      route: ROUTED,
      left: "",
    });
  },
  120_000,
);

const hasDnsmasq = existsSync("/usr/sbin/dnsmasq");

test.skipIf(!isReady || !hasDnsmasq)(
  `dnsmasq gives a guest an address and answers for names, without root, and again after a change${isReady && hasDnsmasq ? "" : " (skipped: needs root, ip, bridges and dnsmasq)"}`,
  async () => {
    const { errors, facts } = await inOwnNetwork("server-in-network.ts");
    expect(errors).toBe("");
    expect(facts).toEqual({
      first: expect.stringMatching(/^10\.8\.0\.1[012]\d by 10\.8\.0\.1 through 10\.8\.0\.1$/),
      invented: [true, true],
      leases: [
        {
          mac: "52:54:00:00:00:77",
          protocol: "ipv4",
          address: expect.stringMatching(/^10\.8\.0\.1[012]\d$/),
          prefix: 24,
          hostname: "web",
          isLater: true,
        },
      ],
      names: ["10.8.0.50", "unknown"],
      isRoot: false,
      // A label has at most 63 bytes. RFC 1035, 2.3.4
      tests: ["", expect.stringContaining("dnsmasq: bad TXT record at line "), "true"],
      // An isolated network has no router.
      second: "10.8.0.7 by 10.8.0.1 through ",
      namesAfter: ["10.8.0.50", "10.8.0.50"],
      isRunning: true,
      isRunningAfter: false,
      left: "",
    });
  },
  120_000,
);
