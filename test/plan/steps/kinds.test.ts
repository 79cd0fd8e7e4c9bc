import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { ThreadSettings } from "../../../src/plan/facts/limits.ts";
import { describe as describeStep } from "../../../src/plan/steps/describe.ts";
import { inverse } from "../../../src/plan/steps/inverse.ts";
import type { Kinds } from "../../../src/plan/steps/kind.ts";
import { KINDS, step } from "../../../src/plan/steps/kinds.ts";
import { type PciStep, pciSteps } from "../../../src/plan/steps/pci.ts";
import type { Step, StepOf } from "../../../src/plan/steps/step.ts";
import type { Runs } from "../../../src/run/steps/step-effects.ts";
import { claim, file, label, order, path } from "./samples.ts";

const monitor = "/run/monitor";
const ownership = { uid: 7, gid: 8, mode: 0o600 };
const tree = { folder: file, claim, uid: 7, access: "read-only", to: label } as const;
const pci = { device: "0000:06:00.0", driver: "e1000e", bootId: "b" };
const ownMount = { path, above: file, source: "a:/b", label };
const iscsi = { name: "iqn.a", portal: "a:3260,1", iface: "i" };
const image = { format: "raw", sizeBytes: 4096 } as const;
const process = { pid: 7, startTicks: 8 };
const options: ThreadSettings = { thread: "vcpu", number: 0, cpus: [1] };
const command = { execute: "device_add", arguments: { id: "net0" } };

const helper = {
  program: "/usr/bin/swtpm",
  words: [],
  environment: {},
  uid: 7,
  workFolder: path,
  logFile: "/log",
  ready: "/run/z",
};
const tap = {
  name: "vnet0",
  netdev: "hostnet0",
  queues: ["q0"],
  vhosts: ["h0"],
  hasHeader: true,
  isMade: true,
};
const setup = { name: "vnet0", mac: "52:54:00:00:00:01", bridge: "br0" };
const link = { name: "macvtap0", lower: "eth0", mode: "bridge", mac: "52:54:00:00:00:01", group: 7 } as const;

const filter = {
  table: "svirt_1_vnet0",
  tap: "vnet0",
  filter: "no-mac-spoofing",
  variables: [{ name: "MAC", values: ["52:54:00:00:00:01"] }],
};

/** One step of each kind: a new kind does not compile without one. */
const EXAMPLES: { readonly [Name in Step["do"]]: StepOf<Name> } = {
  reserve: { do: "reserve", claim },
  release: { do: "release", claim },
  "make-folder": { do: "make-folder", path, mode: 0o700, uid: 7, limit: { bytes: 4096, inodes: 9 } },
  "remove-folder": { do: "remove-folder", path, isMounted: true },
  "mount-folder": { do: "mount-folder", ...ownMount, folder: file, server: "a", attempts: [], flags: ["ro"] },
  "unmount-folder": { do: "unmount-folder", ...ownMount },
  "make-link": { do: "make-link", path, target: "/run/y" },
  "assign-folder": { do: "assign-folder", path, uid: 7, label, original: "a:b:c" },
  "reclaim-folder": { do: "reclaim-folder", path, label },
  "set-label": { do: "set-label", file, claim, from: "a:b:c", to: label },
  "restore-label": { do: "restore-label", file, claim, from: label, to: "a:b:c" },
  "write-udev-rule": { do: "write-udev-rule", path, file, type: "block", label },
  "remove-udev-rule": { do: "remove-udev-rule", path, file },
  grant: { do: "grant", file, uid: 7, access: "read-write" },
  revoke: { do: "revoke", file, uid: 7 },
  "write-secret": { do: "write-secret", secret: "u", from: "/etc/u.base64", path, uid: 7, label },
  "expect-socket": { do: "expect-socket", path, label, file },
  "remove-socket": { do: "remove-socket", path, label, file },
  "link-socket": { do: "link-socket", folder: file, path, target: "/run/y", label },
  "unlink-socket": { do: "unlink-socket", path, target: "/run/y" },
  "mark-format": { do: "mark-format", file, format: "raw", folder: "/state/formats" },
  "make-volume": {
    do: "make-volume",
    path,
    folder: file,
    name: "x",
    format: "qcow2",
    capacityBytes: 4096,
    reservedBytes: 0,
    isNocow: false,
    mode: 0o600,
    uid: 1,
    gid: 2,
    label,
    source: "/images/y",
    written: "qcow2",
    formats: "/state/formats",
  },
  "remove-volume": { do: "remove-volume", file, formats: "/state/formats" },
  "resize-volume": {
    do: "resize-volume",
    file,
    format: "raw",
    fromBytes: 1,
    sizeBytes: 2,
    reservedBytes: 0,
  },
  "make-pool-folder": { do: "make-pool-folder", path, mode: 0o711, above: file, uid: 1, gid: 2, label },
  "drop-pool-folder": { do: "drop-pool-folder", path },
  "remove-pool-folder": { do: "remove-pool-folder", folder: file },
  "set-pool-permissions": {
    do: "set-pool-permissions",
    folder: file,
    from: { ...ownership, label: "a:b:c" },
    to: { ...ownership, label },
  },
  "restore-pool-permissions": { do: "restore-pool-permissions", folder: file, to: ownership },
  "run-tool": {
    do: "run-tool",
    words: ["/sbin/a", "b"],
    attempt: "do it",
    input: "c",
    back: { words: ["/sbin/a", "d"], attempt: "undo it", mayFail: true },
  },
  "make-file-system": { do: "make-file-system", device: file, type: "ext4", words: ["/sbin/mkfs.ext4"] },
  "mount-pool": {
    do: "mount-pool",
    path,
    source: "a:/b",
    server: "a",
    attempts: [{ type: "nfs4", options: [] }],
    flags: ["ro"],
    label,
    labelOfAll: label,
    folder: file,
    above: file,
  },
  "unmount-pool": { do: "unmount-pool", path, source: "a:/b", above: file },
  "prepare-login": { do: "prepare-login", target: "iqn.a", portal: "a:3260,1", words: ["a"], mayFail: true },
  "set-iscsi-password": { do: "set-iscsi-password", ...iscsi, user: "u" },
  "log-in-target": { do: "log-in-target", ...iscsi },
  "log-out-target": { do: "log-out-target", ...iscsi },
  "remember-owner": { do: "remember-owner", file, ownership },
  "restore-owner": { do: "restore-owner", file, ownership },
  "share-tree": { do: "share-tree", ...tree },
  "unshare-tree": { do: "unshare-tree", ...tree },
  "bind-vfio": { do: "bind-vfio", ...pci },
  "rebind-driver": { do: "rebind-driver", ...pci },
  "spawn-helper": { do: "spawn-helper", order: helper },
  spawn: { do: "spawn", order },
  kill: { do: "kill", graceMs: 10 },
  "check-context": { do: "check-context", context: label },
  greet: { do: "greet", monitor, timeoutMs: 10, hasTerminals: true },
  resume: { do: "resume", monitor, commands: [{ execute: "cont" }] },
  plug: { do: "plug", monitor, files: [], commands: [command] },
  unplug: { do: "unplug", monitor, device: "net0", commands: [], sets: [3] },
  "set-medium": { do: "set-medium", monitor, device: "cd0", from: "a", force: true },
  "set-link": { do: "set-link", monitor, device: "net0", up: false },
  "change-setting": { do: "change-setting", monitor, command, before: command },
  "set-memlock": { do: "set-memlock", process, from: 64, to: "unlimited" },
  "make-image": { do: "make-image", path, image },
  "remove-image": { do: "remove-image", path, image },
  "change-label": { do: "change-label", file, from: claim, to: { ...claim, label } },
  "set-access": { do: "set-access", monitor, files: [], nodes: [{ "node-name": "a", "read-only": true }] },
  "start-job": { do: "start-job", monitor, job: "j", command, made: path },
  "cancel-job": { do: "cancel-job", monitor, job: "j" },
  "adopt-chain": { do: "adopt-chain", monitor, job: "j", device: "disk0", chain: ["a"], made: path },
  "expect-file": { do: "expect-file", path },
  "remove-file": { do: "remove-file", path },
  "keep-file": { do: "keep-file", from: path, to: "/run/y" },
  pause: { do: "pause", monitor, wasRunning: true },
  unpause: { do: "unpause", monitor },
  reset: { do: "reset", monitor },
  "save-memory": { do: "save-memory", monitor, to: path, head: { xml: "<domain/>", wasRunning: true } },
  "cancel-save": { do: "cancel-save", monitor },
  "dump-memory": { do: "dump-memory", monitor, to: path, format: "elf", label },
  "take-screenshot": { do: "take-screenshot", monitor, to: path, buffer: "/run/y", set: 3, head: 0 },
  "drop-screen": { do: "drop-screen", monitor, set: 3 },
  "load-memory": { do: "load-memory", monitor, from: file, at: 8, label },
  "pass-tap": { do: "pass-tap", monitor, tap },
  "close-tap": { do: "close-tap", monitor, descriptors: ["q0"] },
  "pass-display": { do: "pass-display", monitor, display: { address: "::1", port: 5900 } },
  "set-up-tap": { do: "set-up-tap", setup },
  "remove-tap": {
    do: "remove-tap",
    name: "vnet0",
    mac: "52:54:00:00:00:01",
    port: {
      guestUuid: "c7a5fdbd-edaf-9455-926a-d65c16db1809",
      interfaceId: "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f",
    },
  },
  "make-macvtap": { do: "make-macvtap", link },
  "remove-macvtap": { do: "remove-macvtap", name: "macvtap0", group: 7 },
  "set-tap-rules": { do: "set-tap-rules", rules: filter },
  "change-tap-rules": {
    do: "change-tap-rules",
    rules: { table: "svirt_1_vnet0", tap: "vnet0", limit: { bytesPerSecond: 1000, burstBytes: 1024 } },
    before: filter,
  },
  "shape-tap": {
    do: "shape-tap",
    tap: "vnet0",
    shape: { bytesPerSecond: 1000, peakBytesPerSecond: 2000, burstBytes: 1024 },
    before: { bytesPerSecond: 1000, peakBytesPerSecond: 1000 },
  },
  "set-floor": {
    do: "set-floor",
    tap: "vnet0",
    to: { bridge: "virbr0", mac: "52:54:00:00:00:01" },
    bytesPerSecond: 1000,
    before: 2000,
  },
  "remove-tap-rules": { do: "remove-tap-rules", table: "svirt_1_vnet0" },
  "make-group": { do: "make-group", group: { path, controllers: ["cpu"], values: [], threads: [] } },
  "remove-group": { do: "remove-group", path },
  "tune-threads": { do: "tune-threads", monitor, settings: [options], before: [{ ...options, cpus: [2] }] },
  "replace-text": { do: "replace-text", path, from: "<network/>", to: "<network></network>", names: ["/a"] },
  "set-mark": { do: "set-mark", path, target: "../lan.xml", isMarked: true, wasMarked: false },
  "set-secret": { do: "set-secret", secret: "u", path },
  "copy-secret": { do: "copy-secret", secret: "u", from: path, to: "/run/y" },
  "make-bridge": {
    do: "make-bridge",
    bridge: {
      name: "virbr0",
      mac: "52:54:00:00:00:01",
      mtu: 1400,
      stp: true,
      delaySeconds: 2,
      addresses: [{ address: "10.0.0.1", prefix: 24 }],
      routes: [{ address: "10.1.0.0", prefix: 24, gateway: "10.0.0.2", metric: 1 }],
      isIsolated: true,
      inbound: { bytesPerSecond: 1000, peakBytesPerSecond: 2000, burstBytes: 1024 },
    },
  },
  "remove-bridge": { do: "remove-bridge", name: "virbr0", mac: "52:54:00:00:00:01" },
  "set-network-rules": { do: "set-network-rules", uuid: "u", script: "add table ip svirt_u\n" },
  "remove-network-rules": { do: "remove-network-rules", uuid: "u" },
  "forward-packets": { do: "forward-packets", path: "/proc/sys/net/ipv4/ip_forward", bootId: "b" },
  "stop-forwarding": { do: "stop-forwarding", path: "/proc/sys/net/ipv4/ip_forward", bootId: "b" },
  "start-server": {
    do: "start-server",
    network: "lan",
    folder: "/run/servers/u",
    above: "/run/servers",
    command: [
      "/usr/sbin/dnsmasq",
      "--conf-file=/run/servers/u/conf",
      "--dhcp-leasefile=/run/servers/u/leases",
    ],
    files: [{ path, text: "port=0\n" }],
    before: [{ path, text: "" }],
  },
  "end-server": { do: "end-server", network: "lan", folder: "/run/servers/u", argument: "--conf-file=c" },
  "test-server": {
    do: "test-server",
    network: "lan",
    program: "/usr/sbin/dnsmasq",
    folder: "/run/servers/u",
    above: "/run/servers",
    file: { path, text: "port=0\n" },
  },
  "drop-test": { do: "drop-test", path },
  "release-device": { do: "release-device", device: "0000:06:00.0" },
  "reset-device": { do: "reset-device", device: "0000:06:00.0" },
  "set-limits": {
    do: "set-limits",
    group: path,
    controllers: ["cpu"],
    limits: [{ names: ["cpu.weight"], value: "50", before: "100" }],
  },
};
const examples: readonly Step[] = Object.values(EXAMPLES);
const named = examples.map((each) => [each.do, each] as const);

describe("the definition of the kind", () => {
  test.each(Object.entries(EXAMPLES))("%s is that of its own steps", (name, example) => {
    expect(example.do).toBe(name as Step["do"]);
    expect(v.is(KINDS[example.do].schema, example)).toBe(true);
  });

  test.each(named)("%s takes what a record keeps of it, and nothing more", (_, example) => {
    expect(v.parse(step, JSON.parse(JSON.stringify(example)))).toEqual(example);
    expect(v.is(step, { ...example, more: 1 })).toBe(false);
  });

  test.each(named)("%s describes it in one line", (_, example) => {
    expect(describeStep(example)).toMatch(/^\S[^\n]+$/);
  });

  test.each(named)("%s has an inverse that a record can keep, or none", (_, example) => {
    const back = inverse(example);
    if (back !== undefined) expect(v.parse(step, JSON.parse(JSON.stringify(back)))).toEqual(back);
  });
});

// tsc fails if one of these compiles.
test("a kind that is not decided everywhere does not compile", () => {
  const { "bind-vfio": take, "rebind-driver": give } = pciSteps;
  const { inverse: _inverse, ...withoutInverse } = take;
  const { describe: _describe, ...withoutDescription } = take;
  const { schema: _schema, ...withoutSchema } = take;
  const { where: _where, ...withoutPlace } = take;
  const { record: _record, ...withoutRecord } = take;
  const { releases: _releases, ...withoutReleases } = take;
  const missing: readonly Kinds<PciStep>[] = [
    // @ts-expect-error: no definition
    { "rebind-driver": give },
    // @ts-expect-error: no inverse
    { "rebind-driver": give, "bind-vfio": withoutInverse },
    // @ts-expect-error: no description
    { "rebind-driver": give, "bind-vfio": withoutDescription },
    // @ts-expect-error: no schema
    { "rebind-driver": give, "bind-vfio": withoutSchema },
    // @ts-expect-error: no place of its effect
    { "rebind-driver": give, "bind-vfio": withoutPlace },
    // @ts-expect-error: nothing about the record
    { "rebind-driver": give, "bind-vfio": withoutRecord },
    // @ts-expect-error: nothing about resources that the guest releases
    { "rebind-driver": give, "bind-vfio": withoutReleases },
    // @ts-expect-error: the schema of another kind
    { "rebind-driver": give, "bind-vfio": { ...take, schema: give.schema } },
  ];
  // @ts-expect-error: no effect
  const effects: Runs<PciStep> = { "rebind-driver": () => undefined };
  expect([...missing, effects]).toHaveLength(9);
});
